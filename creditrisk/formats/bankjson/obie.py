"""UK Open Banking: unsigned amounts with an indicator; only Status Booked moved money."""

from creditrisk.formats.bankjson import values
from creditrisk.formats.bankjson.document import Listed, Object
from creditrisk.formats.bankjson.entry import Entry, Shape


def _is_one(item: Object) -> bool:
    return "CreditDebitIndicator" in item and isinstance(item.get("Amount"), dict) and bool({"BookingDateTime", "Status"} & item.keys())


STATES = {"booked": "booked", "book": "booked", "pending": "pending", "pdng": "pending"}


def _entry(item: Object, listed: Listed) -> Entry:
    """UK Open Banking (OBIE) read/write API: unsigned, with an indicator; only Status Booked moved money."""
    status = values.text(item.get("Status")) or "Booked"
    indicator = item.get("CreditDebitIndicator")
    amount = values.signed(values.money(item["Amount"], "Amount"), indicator, "CreditDebitIndicator")
    merchant = values.inner(item, "MerchantDetails")
    other = values.inner(item, "CreditorAccount" if amount < 0 else "DebtorAccount")
    code = values.inner(item, "BankTransactionCode")
    names = [part for key in ("Domain", "Code", "SubCode") if (part := values.text(code.get(key)))]
    after = values.inner(item, "Balance")
    balance = None
    if values.inner(after, "Amount") and "available" not in values.text(after.get("Type")).lower():
        balance = values.signed(
            values.money(after["Amount"], "Amount"), values.first(after, "CreditDebitIndicator") or "Credit", "Balance.CreditDebitIndicator"
        )
    return Entry(
        day=values.first(item, "BookingDateTime", "ValueDateTime"),
        amount=amount,
        text=values.said(values.first(item, "TransactionInformation"), merchant.get("MerchantName"), other.get("Name"))
        or values.said(values.first(item, "TransactionReference")),
        currency=values.text(item["Amount"].get("Currency")),
        account=values.text(item.get("AccountId")) or values.around(listed, "AccountId"),
        code=values.mcc(merchant.get("MerchantCategoryCode"))
        or values.iso_code("-".join(names))
        or (f"OBIE {'-'.join(names)}" if names else ""),
        balance=balance,
        state=STATES.get(status.lower(), status),
    )


SHAPE = Shape("UK Open Banking", "CreditDebitIndicator", _is_one, _entry)

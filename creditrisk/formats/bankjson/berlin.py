"""Berlin Group NextGenPSD2, as banks and GoCardless spell it: signed, in lists called booked and pending."""

from creditrisk.formats.bankjson import values
from creditrisk.formats.bankjson.document import Listed, Object
from creditrisk.formats.bankjson.entry import Entry, Shape


def _is_one(item: Object) -> bool:
    return isinstance(item.get("transactionAmount"), dict)


def _entry(item: Object, listed: Listed) -> Entry:
    money = item["transactionAmount"]
    amount = values.money(money, "amount")
    if indicator := values.first(item, "creditDebitIndicator", "credit_debit_indicator"):
        amount = values.signed(amount, indicator, "creditDebitIndicator")
    names = ("creditorName", "debtorName") if amount < 0 else ("debtorName", "creditorName")
    words = [key for key in item if key.lower().startswith("remittanceinformation")]
    free = [key for key in words if "unstructured" in key.lower()]
    key = listed.key.lower()
    status = values.text(values.first(item, "bookingStatus", "status", "transactionStatus")).lower()
    balance = values.inner(item, "balanceAfterTransaction")
    booked = not balance or "available" not in values.text(balance.get("balanceType")).lower()
    return Entry(
        day=values.first(item, "bookingDate", "bookingDateTime", "valueDate", "valueDateTime", "transactionDate"),
        amount=amount,
        text=values.said(
            values.first(item, *names),
            *(item[word] for word in free or words),
            *([] if words else [values.first(item, "additionalInformation")]),
        ),
        currency=values.text(money.get("currency")),
        account=account_of(listed),
        code=values.mcc(values.first(item, "merchantCategoryCode"))
        or values.iso_code(values.first(item, "bankTransactionCode", "bankTransactionCodeCode")),
        balance=values.money(values.inner(balance, "balanceAmount"), "amount")
        if booked and values.inner(balance, "balanceAmount")
        else None,
        state="pending" if key == "pending" or status in ("pending", "pdng") else "information" if key == "information" else "booked",
    )


def account_of(listed: Listed) -> str:
    """Return the number of the account a list belongs to."""
    for outer in listed.around:
        account = outer.get("account")
        found = values.first(account, "iban", "bban", "resourceId", "maskedPan") if isinstance(account, dict) else account
        if found := found or values.first(outer, "iban", "account_id", "accountId"):
            return values.text(found)
    return ""


SHAPE = Shape("Berlin Group", "signed", _is_one, _entry)

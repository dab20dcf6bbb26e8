"""Plaid: a positive amount left the account."""

from creditrisk.formats.bankjson import values
from creditrisk.formats.bankjson.document import Listed, Object
from creditrisk.formats.bankjson.entry import Entry, Shape


def _is_one(item: Object) -> bool:
    if "amount" not in item or isinstance(item["amount"], dict):
        return False
    own = {"iso_currency_code", "unofficial_currency_code", "personal_finance_category", "pending_transaction_id", "payment_channel"}
    old = {"_account", "_id"} <= item.keys() or {"category_id", "pending"} <= item.keys()
    return old or bool(own & item.keys()) or bool({"date_posted", "date_transacted"} & item.keys())


def _entry(item: Object, listed: Listed) -> Entry:
    """https://plaid.com/docs/api/products/transactions: a positive amount left the account."""
    if {"security_id", "investment_transaction_id"} & item.keys():
        raise values.Unread(
            "security_id", item.get("security_id"), "shows that these are dealings in securities, not movements of a bank account"
        )
    category = item.get("personal_finance_category")
    detailed = values.text(category.get("detailed") or category.get("primary")) if isinstance(category, dict) else ""
    return Entry(
        day=values.first(item, "date_posted", "date", "date_transacted", "authorized_date"),
        amount=-values.money(item, "amount"),
        text=values.said(values.first(item, "original_description", "name", "description"), item.get("merchant_name")),
        currency=values.text(values.first(item, "iso_currency_code", "unofficial_currency_code", "currency")),
        account=values.text(values.first(item, "account_id", "_account"))
        or values.around(listed, "account_id")
        or _sandbox_account(listed),
        code=values.mcc(values.first(item, "mcc", "merchant_category_code")) or (f"PFC {detailed}" if detailed else ""),
        state="pending" if item.get("pending") is True else "booked",
    )


def _sandbox_account(listed: Listed) -> str:
    """Return the number of a sandbox user's account, or which of its accounts it is."""
    for place, outer in enumerate(listed.around):
        if isinstance(numbers := outer.get("numbers"), dict) and (number := values.text(numbers.get("account"))):
            return number
        if isinstance(others := outer.get("override_accounts"), list) and len(others) > 1 and place:
            inner = listed.around[place - 1]
            which = next(ordinal for ordinal, other in enumerate(others, 1) if other is inner)
            return f" {values.text(inner.get('subtype')) or 'account'} {which}"  # the blank in front asks for the file's name
    return ""


SHAPE = Shape("Plaid", "a positive amount is money out", _is_one, _entry)

"""TrueLayer: the amount has its sign, whatever the transaction_type beside it says."""

from creditrisk.formats.bankjson import values
from creditrisk.formats.bankjson.document import Listed, Object
from creditrisk.formats.bankjson.entry import Entry, Shape


def _is_one(item: Object) -> bool:
    return "amount" in item and "timestamp" in item and bool({"transaction_type", "transaction_category"} & item.keys())


def _entry(item: Object, listed: Listed) -> Entry:
    """TrueLayer Data API v1: the amount has its sign; transaction_type is what a bank's interface said, and is often wrong."""
    merchant = values.first(item, "merchant_name")
    running = values.inner(item, "running_balance")
    category = values.text(item.get("transaction_category"))
    return Entry(
        day=item.get("timestamp"),
        amount=values.money(item, "amount"),
        text=values.said(item.get("description"), merchant),
        currency=values.text(item.get("currency")),
        account=values.text(item.get("account_id")) or values.around(listed, "account_id"),
        code=f"TRUELAYER {category}" if category else "",
        balance=values.money(running, "amount") if running else None,
        state="pending" if values.text(item.get("status")).lower() == "pending" or listed.key.lower() == "pending" else "booked",
    )


SHAPE = Shape("TrueLayer", "signed", _is_one, _entry)

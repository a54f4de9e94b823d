"""Entries of the calendar that tests share: a notice for 2027 as it might be, and a typhoon."""

from typing import Any

NOTICE_2027: dict[str, Any] = {
    "year": 2027,
    "days_off": [
        {"from": "2027-01-01", "to": "2027-01-03", "name": "元旦"},
        {"from": "2027-02-05", "to": "2027-02-11", "name": "春节"},
        {"from": "2027-04-03", "to": "2027-04-05", "name": "清明节"},
        {"from": "2027-05-01", "to": "2027-05-05", "name": "劳动节"},
        {"from": "2027-06-09", "to": "2027-06-09", "name": "端午节"},
        {"date": "2027-09-15", "name": "中秋节"},
        {"from": "2027-10-01", "to": "2027-10-07", "name": "国庆节"},
    ],
    "make_up_days": [
        {"date": "2027-02-13", "name": "春节"},
        {"date": "2027-04-25", "name": "劳动节"},
        {"date": "2027-05-08", "name": "劳动节"},
        {"date": "2027-10-09", "name": "国庆节"},
    ],
    "document": "国办发明电〔2026〕测试号",
    "document_date": "2026-11-04",
}

TYPHOON: dict[str, Any] = {
    "region": "440100",
    "dates": ["2026-09-21"],
    "reason": "台风“测试”",
    "document": "穗府办〔2026〕测试号",
    "document_date": "2026-09-20",
}


def changed(entry: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The entry with other fields; None takes one out."""
    return {name: value for name, value in {**entry, **fields}.items() if value is not None}

"""Whose calendar counts: the country's, Guangdong's, or that of one of its cities (codes of GB/T 2260)."""

from collections.abc import Mapping
from types import MappingProxyType

from engine.text import Text

COUNTRY = ""
PROVINCE = "440000"
CITIES: Mapping[str, Text] = MappingProxyType(
    {
        "440100": Text("广州市", "Guangzhou"),
        "440200": Text("韶关市", "Shaoguan"),
        "440300": Text("深圳市", "Shenzhen"),
        "440400": Text("珠海市", "Zhuhai"),
        "440500": Text("汕头市", "Shantou"),
        "440600": Text("佛山市", "Foshan"),
        "440700": Text("江门市", "Jiangmen"),
        "440800": Text("湛江市", "Zhanjiang"),
        "440900": Text("茂名市", "Maoming"),
        "441200": Text("肇庆市", "Zhaoqing"),
        "441300": Text("惠州市", "Huizhou"),
        "441400": Text("梅州市", "Meizhou"),
        "441500": Text("汕尾市", "Shanwei"),
        "441600": Text("河源市", "Heyuan"),
        "441700": Text("阳江市", "Yangjiang"),
        "441800": Text("清远市", "Qingyuan"),
        "441900": Text("东莞市", "Dongguan"),
        "442000": Text("中山市", "Zhongshan"),
        "445100": Text("潮州市", "Chaozhou"),
        "445200": Text("揭阳市", "Jieyang"),
        "445300": Text("云浮市", "Yunfu"),
    }
)
NAMES: Mapping[str, Text] = MappingProxyType(
    {COUNTRY: Text("全国", "the whole country"), PROVINCE: Text("广东省", "Guangdong"), **CITIES}
)


def layers(region: str) -> tuple[str, ...]:
    """The regions whose closures count in a region, the nearest first. Another code than ours is the country."""
    if region in CITIES:
        return (region, PROVINCE)
    return (PROVINCE,) if region == PROVINCE else ()

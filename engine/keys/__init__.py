"""Test keys (测试密钥): issued, shown once, verified for the cities' systems, revoked."""

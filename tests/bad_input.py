"""What nobody who means well sends: for any input of any page, as browsers and programs can send it."""

BAD = {
    "SQL": "' OR '1'='1'; DROP TABLE instances; -- \" ) UNION SELECT NULL,NULL --",
    "SQL wildcards": "%_\\%'",
    "a NUL": "a\x00b",
    "half a surrogate pair": "a\ud800b",
    "control characters": "\x01\x07\x08\x1b[31m\x7f\x85\u2028",
    "text that runs backwards": "\u202egpj.exe\u2066\u200b\ufeff",
    "a negative number": "-1",
    "a huge number": "9" * 400,
    "a number beyond all": "1e999",
    "no number": "NaN",
    "an integer no database has": str(2**63),
    "other digits": "１２３٣",
    "no day": "2026-02-30",
    "the year 0": "0000-00-00",
    "the year 9999": "9999-12-31",
    "an hour too many": "2026-09-18T25:61:61+99:99",
    "markup": '<script>window.owned=1</script>"><img src=x onerror=window.owned=1>',
    "templates": "{{7*7}}owned ${7*7}owned #{7*7}owned {0.__class__} %(x)s %n",
    "a path": "../../../../etc/passwd\\..\\..",
    "another site": "//evil.example/\\evil.example",
    "a header": "x\r\nX-Owned: 1\r\nSet-Cookie: owned=1",
    "a formula": "=cmd|' /C calc'!A0",
    "JSON": '{"$ne": null, "__proto__": {"owned": 1}}',
    "letters beyond the first plane": "𠮷😀" * 40,
    "accents on accents": "e" + "\u0301" * 300,
    "nothing": "",
    "only blanks": " \t\u3000\xa0 ",
    "far too long": "长" * 6_000,
}

UNSEEN = ("\x07", "\x1b", "\u202e", "\u2066")  # which ring, colour a terminal, or make a text read as another

# Those that a database, a conversion or a header stumbles over first, for where there is much to try them on.
WORST = {
    what: BAD[what]
    for what in (
        "SQL",
        "a NUL",
        "half a surrogate pair",
        "control characters",
        "text that runs backwards",
        "a huge number",
        "an integer no database has",
        "the year 9999",
        "markup",
        "templates",
        "a header",
        "another site",
        "far too long",
    )
}

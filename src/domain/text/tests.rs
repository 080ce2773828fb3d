use super::*;

#[test]
fn nothing_that_a_terminal_obeys_comes_through() {
    for (given, expected) in [
        ("plain", "plain"),
        ("\u{1b}[31mred", "␛[31mred"),
        ("a\nb\tc\r", "a␊b␉c␍"),
        ("bell\u{7} del\u{7f}", "bell␇ del␡"),
        ("csi\u{9b}2J", "csi<U+009B>2J"),
        ("rtl\u{202e}gpj", "rtl<U+202E>gpj"),
        ("zero\u{200b}width\u{feff}", "zero<U+200B>width<U+FEFF>"),
        ("tag\u{e0041}", "tag<U+E0041>"),
        ("Schlüssel 鍵 🔑", "Schlüssel 鍵 🔑"),
    ] {
        assert_eq!(printable(given), expected, "{given:?}");
        assert!(!printable(given).chars().any(is_hidden));
    }
    assert_eq!(printable_lines("{\n\t\"a\": \u{1b}\n}"), "{\n    \"a\": ␛\n}");
}

#[test]
fn a_cut_keeps_the_part_that_tells_things_apart() {
    assert_eq!(keep_start("Before the move", 10), "Before th…");
    assert_eq!(keep_end("alias/payments/card-vault", 14), "…ts/card-vault");
    assert_eq!(keep_ends("1234abcd-12ab-34cd-56ef-1234567890ab", 13), "1234abcd…90ab");
    assert_eq!(keep_start("short", 5), "short");
    assert_eq!(keep_start("short", 0), "");
    assert_eq!(keep_end("short", 1), "…");
    assert_eq!(keep_ends("short", 3), "sh…");
}

#[test]
fn a_cut_never_splits_a_wide_character() {
    for columns in 0..12 {
        for text in ["鍵鍵鍵鍵", "👩\u{1f3fd}‍🚀 rocket", "e\u{301}e\u{301}e\u{301}e\u{301}"] {
            assert!(width(&keep_start(text, columns)) <= columns, "{text} {columns}");
            assert!(width(&keep_end(text, columns)) <= columns, "{text} {columns}");
            assert!(width(&keep_ends(text, columns)) <= columns, "{text} {columns}");
        }
    }
}

#[test]
fn wrapped_lines_fit_and_lose_nothing() {
    assert_eq!(wrap("one two three", 8), ["one two", "three"]);
    assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
    assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
    assert_eq!(wrap("", 5), [""]);
    assert_eq!(wrap("x 鍵鍵鍵", 3), ["x", "鍵", "鍵", "鍵"]);
}

#[test]
fn counts_read_as_people_write_them() {
    assert_eq!(thousands(7), "7");
    assert_eq!(thousands(1_248), "1,248");
    assert_eq!(thousands(100_000), "100,000");
    assert_eq!(plural(1, "key", "keys"), "1 key");
    assert_eq!(plural(1_000_000, "key", "keys"), "1,000,000 keys");
}

use super::*;

fn error<T: FromStr<Err = SwitchError> + std::fmt::Debug>(text: &str) -> String {
    text.parse::<T>().unwrap_err().to_string()
}

#[test]
fn rates_are_read() {
    let rate = Rate { operation: "DescribeKey".to_owned(), per_second: 2000 };
    assert_eq!("DescribeKey=2000".parse(), Ok(rate));
    for text in ["DescribeKey=0", "DescribeKey=-1", "DescribeKey=1.5", "DescribeKey=", "DescribeKey=1000001"]
    {
        let sentence = error::<Rate>(text);
        assert!(sentence.contains("whole requests a second, 1 to 1000000"), "{sentence}");
    }
    assert_eq!(
        error::<Rate>("2000"),
        "`2000` has no `=`: allowed is OPERATION=REQUESTS, like `DescribeKey=2000`"
    );
}

#[test]
fn an_operation_that_kms_has_not_is_an_error_that_suggests() {
    for (name, suggestion) in [
        ("describekey", "did you mean `DescribeKey`?"),
        ("DescribeKeys", "did you mean `DescribeKey`?"),
        ("GenerateDataKeyWithoutPlain", "did you mean `GenerateDataKeyWithoutPlaintext`?"),
        ("FryEggs", "spelled as AWS spells them"),
        ("", "spelled as AWS spells them"),
    ] {
        let sentences = [error::<Rate>(&format!("{name}=1")), error::<Denial>(&format!("{name}=1%"))];
        for sentence in sentences {
            assert!(sentence.starts_with(&format!("`{name}` is not an operation of KMS")), "{sentence}");
            assert!(sentence.contains(suggestion), "{sentence}");
        }
    }
    // KMS has it, whether the local KMS has or not.
    assert!("ReplicateKey=5%".parse::<Denial>().is_ok());
}

#[test]
fn shares_are_read_to_the_fourth_decimal() {
    for (text, millionths) in
        [("0%", 0), ("5%", 50_000), ("0.5%", 5_000), ("0.0001%", 1), ("12.25%", 122_500), ("100%", WHOLE)]
    {
        assert_eq!(text.parse(), Ok(Share(millionths)), "{text}");
    }
    for text in [
        "", "%", "5", "-1%", "+1%", "1e1%", ".5%", "5.%", "100.1%", "101%", "9999%", "0.00001%", "5 %",
        "NaN%",
    ] {
        let sentence = error::<Share>(text);
        assert!(sentence.contains("allowed are `0%` to `100%`"), "{sentence}");
    }
}

#[test]
fn odds_are_read_and_add_up_to_everything_at_most() {
    let odds: Odds = "500=1%,reset=1%,throttle=2%,truncate=1%,hang=95%".parse().unwrap();
    assert_eq!(odds.0.len(), 5);
    assert!("reset=100%".parse::<Odds>().is_ok());
    for (text, reason) in [
        ("", "has no `=`"),
        ("500", "has no `=`"),
        ("500=1%,", "has no `=`"),
        ("404=1%", "allowed are `500`, `reset`, `throttle`, `truncate`, `hang`"),
        ("reset=1%,reset=1%", "`reset` is there twice"),
        ("reset=60%,hang=40.0001%", "add up to more than 100%"),
        ("reset=101%", "`101%` is not a share"),
    ] {
        let sentence = error::<Odds>(text);
        assert!(sentence.contains(reason), "{sentence}");
    }
}

#[test]
fn delays_are_read() {
    for (text, milliseconds) in [
        ("0", 0),
        ("0ms", 0),
        ("20ms", 20),
        ("1.5s", 1_500),
        ("2s", 2_000),
        ("1m", 60_000),
        ("1h", 3_600_000),
    ] {
        assert_eq!(parse_latency(text), Ok(Duration::from_millis(milliseconds)), "{text}");
    }
    for text in ["", "20", "-20ms", "20 parsecs", "61m", "99999999999999999h"] {
        let sentence = parse_latency(text).unwrap_err().to_string();
        assert!(sentence.contains("like `20ms` or `1.5s`"), "{sentence}");
    }
}

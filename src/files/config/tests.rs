use super::*;

#[track_caller]
fn problems(text: &str) -> Vec<String> {
    Config::parse(text).unwrap_err()
}

#[test]
fn every_member_says_what_it_is_for() {
    let config = Config::parse(
        "describe_rate = 1_500\ncache = false\n[profiles.prod]\ncolour = \"red\"\nword = \"production\"\n\
         read_only = true\nconfirm = true\n[profiles.\"my dev\"]\ncolor = 'cyan'\n[profiles.none]\n",
    );
    let production = Marks {
        colour: Some(MarkColour::Red),
        word: Some("production".to_owned()),
        read_only: true,
        confirm: true,
    };
    let development = Marks { colour: Some(MarkColour::Cyan), ..Marks::default() };
    let profiles = [("prod", production), ("my dev", development), ("none", Marks::default())];
    let profiles = profiles.map(|(name, marks)| (name.to_owned(), marks)).into();
    assert_eq!(config, Ok(Config { describe_rate: Some(1_500), cache: Some(false), profiles }));
    assert_eq!(Config::parse(""), Ok(Config::default()));
    assert_eq!(Config::parse("\u{feff}# nothing\r\n"), Ok(Config::default()));
}

#[test]
fn a_member_that_nobody_knows_is_named_with_its_line_and_the_nearest_name() {
    for (text, told) in [
        ("\ndescribe-rate = 1", "line 2: unknown member `describe-rate`: did you mean `describe_rate`?"),
        ("Cache = true", "line 1: unknown member `Cache`: did you mean `cache`?"),
        ("profile.x = 1", "line 1: unknown member `profile`: did you mean `profiles`?"),
        ("zzz = 1", "line 1: unknown member `zzz`: must be one of describe_rate, cache, profiles"),
        (
            "[profiles.p]\n\nreadonly = true",
            "line 3: unknown member `profiles.p.readonly`: did you mean `read_only`?",
        ),
        (
            "[profiles.p]\nzz = 1",
            "line 2: unknown member `profiles.p.zz`: must be one of colour, color, word, read_only, confirm",
        ),
    ] {
        assert_eq!(problems(text), [told]);
    }
}

#[test]
fn a_wrong_value_says_what_is_allowed() {
    let rate = "`describe_rate` must be a whole number from 0 to 10000, not";
    let word = "`profiles.p.word` must be a text of 1 to 16 columns, not";
    for (text, told) in [
        ("describe_rate = 10001", format!("{rate} `10001`")),
        ("describe_rate = -1", format!("{rate} `-1`")),
        ("describe_rate = 1.5", format!("{rate} `1.5`")),
        ("describe_rate = \"200\"", format!("{rate} `\"200\"`")),
        ("describe_rate = [\n1]", format!("{rate} a list")),
        ("cache = 1", "`cache` must be true or false, not `1`".to_owned()),
        (
            "profiles = true",
            "`profiles` must be a table for each profile, as in `[profiles.prod]`, not `true`".to_owned(),
        ),
        (
            "profiles.p = true",
            "`profiles.p` must be a table: write `[profiles.p]` above its members, not `true`".to_owned(),
        ),
        (
            "profiles.p.colour = \"orange\"",
            "`profiles.p.colour` must be one of \"red\", \"yellow\", \"green\", \"blue\", \"magenta\", \"cyan\", \
             not `\"orange\"`"
                .to_owned(),
        ),
        ("profiles.p.word = \"seventeen columns\"", format!("{word} `\"seventeen columns\"`")),
        ("profiles.p.word = \" \"", format!("{word} `\" \"`")),
        ("profiles.p.read_only = \"yes\"", "`profiles.p.read_only` must be true or false, not `\"yes\"`".to_owned()),
    ] {
        assert_eq!(problems(text), [format!("line 1: {told}")]);
    }
    assert!(Config::parse("describe_rate = 0").is_ok() && Config::parse("describe_rate = 10000").is_ok());
    assert!(Config::parse("profiles.p.word = \"sixteen columns!\"").is_ok());
}

#[test]
fn all_that_is_wrong_is_told_at_once_in_the_order_of_the_lines() {
    let told = problems(
        "describe_rate = -1\n[profiles.b]\nconfirm = 1\ncolor = \"red\"\ncolour = \"red\"\n[profiles.a]\nx = 1",
    );
    let lines: Vec<&str> = told.iter().map(|problem| problem.split(':').next().unwrap()).collect();
    assert_eq!(lines.len(), 4, "{told:#?}");
    assert_eq!((lines[0], lines[1], lines[3]), ("line 1", "line 3", "line 7"));
    assert!(told[2].contains("keep one"), "{told:#?}");
}

#[test]
fn text_that_is_no_toml_is_told_with_its_line() {
    for (text, line) in [("cache = ", 1), ("\n\n[profiles", 3), ("cache = true\ncache = true", 2)] {
        let told = problems(text);
        assert!(told.len() == 1 && told[0].starts_with(&format!("line {line}: ")), "{told:?}");
        assert!(!told[0].contains('\n'), "{told:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error_only_where_a_person_named_it() {
    let home = tempfile::tempdir().unwrap();
    let paths = Paths::below(home.path());
    assert_eq!(Config::load(None, Some(&paths)).unwrap(), Config::default());
    assert_eq!(Config::load(None, None).unwrap(), Config::default());
    let named = home.path().join("mine.toml");
    let error = Config::load(Some(&named), Some(&paths)).unwrap_err();
    assert!(matches!(&error, ConfigError::Unreadable(error) if error.is_missing()), "{error}");
    std::fs::write(&named, "cache = false").unwrap();
    assert_eq!(Config::load(Some(&named), Some(&paths)).unwrap().cache, Some(false));
}

#[test]
fn the_file_is_named_with_what_is_wrong_in_it() {
    let home = tempfile::tempdir().unwrap();
    let paths = Paths::below(home.path());
    let path = paths.config_file();
    let error = || Config::load(None, Some(&paths)).unwrap_err().to_string();
    private::write(&path, b"cache = 1").unwrap();
    assert_eq!(error(), format!("`{}`, line 1: `cache` must be true or false, not `1`", path.display()));
    private::write(&path, b"\xff").unwrap();
    assert_eq!(error(), format!("`{}` is not text in UTF-8", path.display()));
    private::write(&path, &vec![b'#'; (1 << 20) + 1]).unwrap();
    assert!(error().contains("has more than 1048576 bytes"), "{}", error());
}

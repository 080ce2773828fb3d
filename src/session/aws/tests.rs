//! Which profile, credentials, region and endpoint follow from settings, environment and files.

use super::*;

const CONFIG: &str = "\
[default]
region = eu-west-1
ca_bundle = /of/the/profile.pem
aws_access_key_id = AKID
aws_secret_access_key = secret
[profile bare]
output = json
[profile sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = reader
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
[profile old-sso]
sso_start_url = https://corp.awsapps.com/start
[profile login]
login_session = arn:aws:iam::111122223333:user/a
[profile process]
credential_process = /bin/true
[profile web]
role_arn = arn:aws:iam::111122223333:role/w
web_identity_token_file = /token
mfa_serial = arn:aws:iam::111122223333:mfa/ignored
[profile role]
role_arn = arn:aws:iam::111122223333:role/r
source_profile = sso
[profile by-process]
role_arn = arn:aws:iam::111122223333:role/r
source_profile = process
[profile mfa]
role_arn = arn:aws:iam::111122223333:role/m
source_profile = default
mfa_serial = arn:aws:iam::111122223333:mfa/a b
[profile over-mfa]
role_arn = arn:aws:iam::111122223333:role/o
source_profile = mfa
[profile keys-and-mfa]
role_arn = arn:aws:iam::111122223333:role/k
source_profile = default
mfa_serial = arn:aws:iam::111122223333:mfa/a
aws_access_key_id = AKID
aws_secret_access_key = secret
[profile over-keys]
role_arn = arn:aws:iam::111122223333:role/o
source_profile = keys-and-mfa
[profile lost]
role_arn = arn:aws:iam::111122223333:role/l
source_profile = nowhere
[profile keys-and-lost]
role_arn = arn:aws:iam::111122223333:role/k
source_profile = nowhere
aws_access_key_id = AKID
aws_secret_access_key = secret
[profile over-lost-with-keys]
role_arn = arn:aws:iam::111122223333:role/l
source_profile = keys-and-lost
[profile over-lost]
role_arn = arn:aws:iam::111122223333:role/l
source_profile = lost
[profile loop]
role_arn = arn:aws:iam::111122223333:role/l
source_profile = loop-back
[profile loop-back]
role_arn = arn:aws:iam::111122223333:role/l
source_profile = loop
[profile odd-region]
region = evil.example/
";

const ENV_KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret")];

fn flag(profile: &str) -> AwsSettings {
    AwsSettings { profile: Some(profile.to_owned()), ..AwsSettings::default() }
}

async fn set_of(env: &Env, named: Option<&str>) -> ProfileSet {
    let fs = Fs::from_slice(&[("/home/.aws/config", CONFIG)]);
    load_profiles(&fs, env, named).await.unwrap()
}

fn env_with(more: &[(&'static str, &'static str)]) -> Env {
    Env::from_slice(&[&[("HOME", "/home")], more].concat())
}

/// The profile's name and the word for its credentials.
async fn selected(
    settings: &AwsSettings,
    more: &[(&'static str, &'static str)],
) -> Result<(String, Option<&'static str>), Failure> {
    let env = env_with(more);
    let named = named_profile(settings, &env);
    let set = set_of(&env, named.as_deref()).await;
    let profile = Profile::select(named, &set)?;
    profile.refuse_mfa(settings, &env)?;
    Ok((profile.name.clone(), profile.source_of_credentials(settings, &env)))
}

#[tokio::test]
async fn a_profile_has_a_word_for_its_credentials() {
    for (profile, word) in [
        ("default", Some("keys")),
        ("bare", None),
        ("sso", Some("sso")),
        ("old-sso", Some("sso")),
        ("login", Some("login")),
        ("process", Some("process")),
        ("web", Some("web identity")),
        ("role", Some("role")),
        ("over-keys", Some("role")),
        ("over-lost-with-keys", Some("role")),
        ("loop", Some("role")),
    ] {
        let found = selected(&flag(profile), &ENV_KEYS).await.unwrap();
        assert_eq!(found, (profile.to_owned(), word), "an explicit profile goes before the environment");
    }
    let unsigned = AwsSettings { unsigned: true, ..flag("mfa") };
    assert_eq!(selected(&unsigned, &[]).await.unwrap().1, Some("unsigned"));
    let bare = [("AWS_PROFILE", "bare")];
    for (more, word) in [
        (("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), Some("web identity")),
        (("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://x"), Some("container")),
        (("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"), Some("container")),
        (("AWS_ACCESS_KEY_ID", "alone"), None),
    ] {
        let found = selected(&AwsSettings::default(), &[&bare[..], &[more]].concat()).await.unwrap();
        assert_eq!(found.1, word, "{more:?}");
    }
}

#[tokio::test]
async fn the_profile_is_named_by_flag_then_environment() {
    let default = ("AWS_DEFAULT_PROFILE", "sso");
    let newer = ("AWS_PROFILE", "login");
    for (settings, env, name, word) in [
        (AwsSettings::default(), &[][..], "default", "keys"),
        (AwsSettings::default(), &[newer], "login", "login"),
        (AwsSettings::default(), &[default], "sso", "sso"),
        (AwsSettings::default(), &[default, newer], "sso", "sso"),
        (AwsSettings::default(), &[("AWS_DEFAULT_PROFILE", ""), newer], "login", "login"),
        (AwsSettings::default(), &[("AWS_PROFILE", "")], "default", "keys"),
        (AwsSettings::default(), &[newer, ENV_KEYS[0], ENV_KEYS[1]], "login", "environment"),
        (flag("process"), &[default, newer, ENV_KEYS[0], ENV_KEYS[1]], "process", "process"),
    ] {
        let found = selected(&settings, env).await.unwrap();
        assert_eq!(found, (name.to_owned(), Some(word)), "{env:?}");
    }
}

#[tokio::test]
async fn a_role_is_signed_in_for_at_the_end_of_its_chain() {
    let env = env_with(&[]);
    for (name, source) in [
        ("role", Some(("sso", "sso"))),
        ("by-process", Some(("process", "process"))),
        ("over-mfa", Some(("default", "keys"))),
        ("over-keys", Some(("keys-and-mfa", "keys"))),
        ("sso", None),
        ("web", None),
    ] {
        let set = set_of(&env, Some(name)).await;
        let found = Profile::select(Some(name.to_owned()), &set).unwrap().role_source();
        let found = found.as_ref().map(|source| (source.profile.as_str(), source.credentials.as_str()));
        assert_eq!(found, source, "{name}");
    }
}

#[tokio::test]
async fn a_profile_that_cannot_be_used_says_why() {
    for (profile, kind, sentence) in [
        ("nope", FailureKind::NoProfile, "no profile named nope"),
        (
            "lost",
            FailureKind::NoProfile,
            "no profile named nowhere, which profile lost takes its credentials from",
        ),
        (
            "over-lost",
            FailureKind::NoProfile,
            "no profile named nowhere, which profile lost takes its credentials from",
        ),
        ("mfa", FailureKind::Configuration, "profile mfa needs an MFA code, which kmx cannot ask for"),
        (
            "over-mfa",
            FailureKind::Configuration,
            "profile over-mfa needs an MFA code for its source, profile mfa, which kmx cannot ask for",
        ),
        (
            "keys-and-mfa",
            FailureKind::Configuration,
            "profile keys-and-mfa needs an MFA code, which kmx cannot ask for",
        ),
    ] {
        let failure = selected(&flag(profile), &ENV_KEYS).await.unwrap_err();
        assert_eq!((failure.kind, failure.sentence.as_str()), (kind, sentence));
        assert!(!failure.hints.is_empty());
    }
    let failure = selected(&flag("over-mfa"), &[]).await.unwrap_err();
    assert_eq!(
        failure.command.as_deref(),
        Some(
            "aws sts assume-role --profile default --role-arn arn:aws:iam::111122223333:role/m \
             --role-session-name kmx --serial-number 'arn:aws:iam::111122223333:mfa/a b' --token-code CODE"
        )
    );
    // Credentials of the environment go before a profile that the environment names.
    let named = [("AWS_PROFILE", "mfa"), ENV_KEYS[0], ENV_KEYS[1]];
    assert_eq!(selected(&AwsSettings::default(), &named).await.unwrap().1, Some("environment"));
}

#[tokio::test]
async fn the_region_is_named_by_flag_environment_profile() {
    let with_flag = |region: &str| AwsSettings { regions: vec![region.into()], ..AwsSettings::default() };
    let (newer, older) = (("AWS_REGION", "us-west-1"), ("AWS_DEFAULT_REGION", "us-west-2"));
    for (settings, env, found) in [
        (with_flag("sa-east-1"), &[newer, older][..], Ok("sa-east-1")),
        (AwsSettings::default(), &[newer, older], Ok("us-west-1")),
        (AwsSettings::default(), &[("AWS_REGION", ""), older], Ok("us-west-2")),
        (AwsSettings::default(), &[], Ok("eu-west-1")),
        (flag("odd-region"), &[], Err("`evil.example/` is no region")),
        (with_flag("-a"), &[], Err("`-a` is no region")),
        (with_flag("a-"), &[], Err("`a-` is no region")),
        (with_flag("us-east-1."), &[], Err("`us-east-1.` is no region")),
    ] {
        let env = env_with(env);
        let named = named_profile(&settings, &env);
        let set = set_of(&env, named.as_deref()).await;
        let profile = Profile::select(named, &set).unwrap();
        let region =
            region(&settings, &env, &profile, First::Environment).await.map_err(|failure| failure.sentence);
        assert_eq!(region.as_deref().map_err(String::as_str), found);
    }
}

/// Where a destination leads: the profile, the word for its credentials, and the region.
async fn led(
    settings: &AwsSettings,
    to: &Destination,
    env: &[(&'static str, &'static str)],
) -> Result<(String, Option<&'static str>, String), Failure> {
    let settings = settings.towards(to);
    let env = env_with(env);
    let named = named_profile(&settings, &env);
    let set = set_of(&env, named.as_deref()).await;
    let profile = Profile::select(named, &set)?;
    let region = region(&settings, &env, &profile, First::of(to)).await?;
    Ok((profile.name.clone(), profile.source_of_credentials(&settings, &env), region))
}

#[tokio::test]
async fn a_destination_goes_before_flags_and_its_profile_brings_its_region() {
    let to = |profile: Option<&str>, region: Option<&str>| Destination {
        profile: profile.map(str::to_owned),
        region: region.map(str::to_owned),
    };
    let flags = AwsSettings { regions: vec!["sa-east-1".into(), "us-east-2".into()], ..flag("process") };
    let none = AwsSettings::default();
    let of_env = [("AWS_REGION", "us-west-1"), ("AWS_PROFILE", "sso"), ENV_KEYS[0], ENV_KEYS[1]];
    for (settings, to, env, profile, word, region) in [
        (&flags, to(None, None), &of_env[..], "process", "process", "sa-east-1"),
        (&flags, to(None, Some("us-east-2")), &of_env, "process", "process", "us-east-2"),
        (&flags, to(Some("default"), None), &of_env, "default", "keys", "sa-east-1"),
        (&flags, to(Some("default"), Some("us-east-2")), &of_env, "default", "keys", "us-east-2"),
        (&none, to(None, None), &of_env, "sso", "environment", "us-west-1"),
        (&none, to(None, Some("us-east-2")), &of_env, "sso", "environment", "us-east-2"),
        // Its own region before that of the environment; where it has none, that one still counts.
        (&none, to(Some("default"), None), &of_env, "default", "keys", "eu-west-1"),
        (&none, to(Some("login"), None), &of_env, "login", "login", "us-west-1"),
    ] {
        let found = led(settings, &to, env).await.unwrap();
        assert_eq!(found, (profile.to_owned(), Some(word), region.to_owned()), "{to:?}");
    }
    let failure = led(&none, &to(Some("nope"), None), &of_env).await.unwrap_err();
    assert_eq!(failure.sentence, "no profile named nope");
    let failure = led(&none, &to(None, Some("not a region")), &of_env).await.unwrap_err();
    assert_eq!(failure.sentence, "`not a region` is no region");
}

#[tokio::test]
async fn profiles_are_told_with_what_a_person_chooses_by() {
    let env = env_with(&[("AWS_PROFILE", "sso")]);
    let set = set_of(&env, named_profile(&AwsSettings::default(), &env).as_deref()).await;
    let told = summaries(&set);
    assert!(told.is_sorted_by(|a, b| a.name < b.name), "{told:?}");
    let current: Vec<&str> = told.iter().filter(|told| told.is_current).map(|told| &*told.name).collect();
    assert_eq!(current, ["sso"]);
    let of = |name: &str| told.iter().find(|told| told.name == name).unwrap();
    let bare = |name: &str| ProfileSummary { name: name.to_owned(), ..ProfileSummary::default() };
    let account = Some("111122223333".to_owned());
    for expected in [
        bare("bare"),
        ProfileSummary { region: Some("eu-west-1".into()), credentials: Some("keys"), ..bare("default") },
        ProfileSummary {
            credentials: Some("sso"),
            sso_session: Some("corp".into()),
            sso_account: account.clone(),
            is_current: true,
            ..bare("sso")
        },
        ProfileSummary { credentials: Some("sso"), ..bare("old-sso") },
        ProfileSummary { credentials: Some("login"), ..bare("login") },
        ProfileSummary { credentials: Some("process"), ..bare("process") },
        ProfileSummary { credentials: Some("web identity"), role_account: account.clone(), ..bare("web") },
        ProfileSummary { credentials: Some("role"), role_account: account.clone(), ..bare("role") },
        ProfileSummary {
            credentials: Some("role"),
            role_account: account.clone(),
            needs_mfa: true,
            ..bare("over-mfa")
        },
        ProfileSummary { credentials: Some("role"), role_account: account.clone(), ..bare("over-keys") },
        ProfileSummary {
            credentials: Some("role"),
            role_account: account.clone(),
            missing_source: Some("nowhere".into()),
            ..bare("over-lost")
        },
        ProfileSummary { credentials: Some("role"), role_account: account.clone(), ..bare("loop") },
    ] {
        assert_eq!(*of(&expected.name), expected);
        assert_eq!(expected.is_usable(), !matches!(&*expected.name, "over-mfa" | "over-lost"));
    }
    assert_eq!(of("sso").account(), account.as_deref());
}

#[tokio::test]
async fn the_authorities_are_named_by_flag_environment_profile() {
    let set = set_of(&env_with(&[]), None).await;
    let profile = Profile::select(None, &set).unwrap();
    let with_flag = AwsSettings { ca_bundle: Some("/flag.pem".into()), ..AwsSettings::default() };
    let of_env = [("AWS_CA_BUNDLE", "/env.pem")];
    for (settings, env, bundle) in [
        (&with_flag, &of_env[..], "/flag.pem"),
        (&AwsSettings::default(), &of_env, "/env.pem"),
        (&AwsSettings::default(), &[("AWS_CA_BUNDLE", "")], "/of/the/profile.pem"),
    ] {
        assert_eq!(ca_bundle(settings, &env_with(env), &profile), Some(PathBuf::from(bundle)));
    }
}

#[test]
fn an_endpoint_is_a_url_without_a_password() {
    let settings = AwsSettings::default();
    let insecure = AwsSettings { allow_insecure_endpoint: true, ..AwsSettings::default() };
    for url in ["https://kms.example", "http://127.0.0.1:5000/x@y", "http://[::1]:1", "https://h/?a=b@c"] {
        assert_eq!(check_endpoint(url, &settings).unwrap(), url);
    }
    assert!(check_endpoint("http://kms.example", &insecure).is_ok());
    for (url, said) in [
        ("kms.example", "is no endpoint"),
        ("ftp://kms.example", "is no endpoint"),
        ("https://", "is no endpoint"),
        ("https://a b", "is no endpoint"),
        ("http://kms.example", "unencrypted"),
        ("http://x.localhost", "unencrypted"),
        ("https://me:hunter2@kms.example", "holds a user or a password"),
        ("http://me:hunter2@127.0.0.1", "holds a user or a password"),
        ("me:hunter2@kms.example", "holds a user or a password"),
        ("https:/me:hunter2@kms.example", "holds a user or a password"),
        ("ftp://x/me:hunter2@kms.example", "holds a user or a password"),
    ] {
        let failure = check_endpoint(url, &settings).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Configuration);
        assert!(failure.sentence.contains(said), "{url}: {}", failure.sentence);
        assert!(!failure.report().contains("hunter2"), "{}", failure.report());
    }
}

//! A profile of the AWS configuration, as far as its section tells: what a person chooses by.

/// What the configuration says of a profile. Nothing of it was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileSummary {
    pub name: String,
    pub region: Option<String>,
    /// The kind of its credentials in a word: `sso`, `role`, `keys`, `process`, `login` or
    /// `web identity`; `None` where it names none, so that the container's or the instance's count.
    pub credentials: Option<&'static str>,
    /// The account of the role that it takes: twelve digits, as the role's ARN has them.
    pub role_account: Option<String>,
    /// The section that its single sign-on is configured in.
    pub sso_session: Option<String>,
    /// The account that it signs in to with single sign-on.
    pub sso_account: Option<String>,
    /// Whether it, or a profile that it takes credentials from, needs an MFA code, which kmx cannot
    /// ask for.
    pub needs_mfa: bool,
    /// The name of a source that is not there: such a profile gives no credentials.
    pub missing_source: Option<String>,
    /// Whether the command line and the environment choose it.
    pub is_current: bool,
}

impl ProfileSummary {
    /// The account that the configuration names, where it does: the role's, else that of single sign-on.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.role_account.as_deref().or(self.sso_account.as_deref())
    }

    /// Whether a connection with it can come about, as far as the configuration tells.
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        !self.needs_mfa && self.missing_source.is_none()
    }
}

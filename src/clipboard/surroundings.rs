//! Where kmx runs, as far as copying is concerned, and the order of the routes
//! that follows from it. Reads the environment only through the function it is
//! given.

use std::ffi::OsString;

use super::Route;

/// What the environment says about the way to the person's clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The session came over SSH (`SSH_CONNECTION`, `SSH_CLIENT` or `SSH_TTY`),
    /// so that the system clipboard here is not the one the person pastes from.
    pub remote: bool,
    /// kmx runs inside tmux (`TMUX`).
    pub tmux: bool,
    /// There is a display to ask (`DISPLAY` or `WAYLAND_DISPLAY`; always so on
    /// macOS and Windows). Whether it answers is another matter.
    pub display: bool,
    /// What the person asked for.
    pub preference: Preference,
}

/// The value of `KMX_CLIPBOARD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preference {
    /// `auto`, or nothing: the order that fits the surroundings.
    Auto,
    /// `native`: the system clipboard and nothing else.
    Native,
    /// `tmux`: a tmux buffer, passed on to the terminal by tmux.
    Tmux,
    /// `osc52`: the escape sequence, even inside tmux.
    Terminal,
    /// `off`: copy nothing.
    Off,
    /// Anything else, kept as it came so that the error can name it. It comes
    /// from outside and may hold control characters.
    Unknown(String),
}

impl Surroundings {
    /// Looks the variables up. A variable that is set but empty counts as unset.
    #[must_use]
    pub fn from_env(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let has = |name: &str| lookup(name).is_some_and(|value| !value.is_empty());
        let always_a_display = cfg!(any(target_os = "macos", windows));
        Self {
            remote: ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(has),
            tmux: has("TMUX"),
            display: always_a_display || has("DISPLAY") || has("WAYLAND_DISPLAY"),
            preference: lookup("KMX_CLIPBOARD")
                .map_or(Preference::Auto, |value| Preference::from_value(&value.to_string_lossy())),
        }
    }

    /// The routes to try, first to last, or why none is to be tried.
    pub(super) fn routes(&self) -> Result<&'static [Route], String> {
        use Route::{Native, Terminal, Tmux};
        Ok(match &self.preference {
            Preference::Native => &[Native],
            Preference::Tmux => &[Tmux],
            Preference::Terminal => &[Terminal],
            Preference::Off => return Err("copying is off (`KMX_CLIPBOARD=off`)".to_owned()),
            Preference::Unknown(value) => {
                return Err(format!(
                    "`KMX_CLIPBOARD={}` is not one of auto, native, tmux, osc52, off",
                    value.escape_debug()
                ));
            }
            // Over SSH the display, if any, is a forwarded one: it reaches the
            // right clipboard, but slowly or not at all, so it comes last.
            Preference::Auto => match (self.remote, self.tmux, self.display) {
                (true, true, true) => &[Tmux, Terminal, Native],
                (true | false, true, false) => &[Tmux, Terminal],
                (true, false, true) => &[Terminal, Native],
                (true | false, false, false) => &[Terminal],
                (false, true, true) => &[Native, Tmux, Terminal],
                (false, false, true) => &[Native, Terminal],
            },
        })
    }
}

impl Preference {
    fn from_value(value: &str) -> Self {
        match value {
            "" | "auto" => Self::Auto,
            "native" => Self::Native,
            "tmux" => Self::Tmux,
            "osc52" => Self::Terminal,
            "off" => Self::Off,
            _ => Self::Unknown(value.to_owned()),
        }
    }
}

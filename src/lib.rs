//! `kmx`, a terminal explorer for AWS KMS: it lists keys and aliases with their states, builds a
//! `GenerateDataKeyWithoutPlaintext` request in a form, runs it, and shows or copies the Base64
//! result. This page is the map of the code; each module's own page says the rest.
//!
//! # The way of a key press to the wire
//!
//! ```text
//! main → cli → tui ──────────────→ view → app → domain
//!               │ input, answers ↗     (draws a &State)
//!               └ executor → session → kms → domain
//!                                └───→ local
//!        cli, tui → files → domain
//! ```
//!
//! 1. [`tui::input`] reads the terminal on a thread and sends an event into the loop.
//! 2. [`tui::runtime`] makes a [`app::Message`] of it and gives it to [`app::update()`], the one
//!    place where [`app::State`] changes. What the key means is looked up in [`app::keymap`], from
//!    which footer and help are made too.
//! 3. `update` gives back [`app::Effect`]s. [`tui::executor`] makes a task of each: for a data key
//!    [`kms::generate_data_key`], over the clients that [`session::Session::connect`] made.
//! 4. The answer comes back as a message with the ticket of its question; [`view::render`] draws
//!    the new state.
//!
//! Without a screen the way is shorter: [`cli`] reads the same options from
//! [`domain::request::Parameter`], checks them with the same [`domain::request::Parameters::check`],
//! and makes the same call. `kmx serve` goes the other way round: it puts [`local`] on a socket
//! ([`local::Server`]) for clients that are not ours.
//!
//! # Modules
//!
//! | module | is | must never |
//! |---|---|---|
//! | [`domain`] | KMS in plain data | wait, read a clock or a file, know another module |
//! | [`app`] | state, messages, effects, keymap, form, geometry | perform anything; the time is told to it |
//! | [`view`] | draws a state, a file a region | change or perform anything |
//! | [`kms`] | the only user of `aws_sdk_kms` | know of screens, or call what returns a plaintext |
//! | [`local`] | the embedded KMS, the other side of the wire | use another module of ours |
//! | [`session`] | where requests go: AWS, or the local KMS | know of screens |
//! | [`files`] | configuration, remembered catalogs, log; private and whole | know of screens or of AWS |
//! | [`clipboard`] | routes, order, deadlines of a copy | use another module of ours |
//! | [`tui`] | terminal, loop, executor | decide what `update` could decide |
//! | [`cli`] | arguments to an exit code | know the explorer's insides |
//!
//! `tests/it/tidy.rs` holds these rules.
//!
//! # What must stay true
//!
//! - State changes in `update` alone; drawing takes `&State`. `update` cannot fail: failures arrive
//!   as messages.
//! - Nothing in `update` depends on what was drawn: geometry ([`app::layout`]) is a pure function of
//!   the size and the state.
//! - An answer carries the generation or the ticket of its question; one that nobody waits for is
//!   dropped.
//! - A key is referred to by its ARN or by a handle that stands for it, never by a position.
//! - Work is per batch, never per catalog ([`domain::listing`]).
//! - Nothing is drawn without a reason, and nothing ticks when nothing moves.
//! - The catalog's channel is bounded: a flood waits for the screen, and input goes first.
//! - The seams are the SDK's own `HttpClient`, ratatui's `Backend`, and channels. Tests run the real
//!   SDK over the local KMS, the time paused.
//! - Each request option is defined once, in [`domain::request::Parameter`].
//! - Text from outside is kept as it came, and made printable on every way out
//!   ([`domain::text::printable`]).

pub mod app;
pub mod cli;
pub mod clipboard;
pub mod domain;
pub mod files;
pub mod kms;
pub mod local;
pub mod session;
pub mod tui;
pub mod view;

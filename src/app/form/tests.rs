//! Focus, rows and choices of the form, as tables.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;

/// A form whose rows are these names and values, with a fresh one behind them.
fn form(rows: &[(&str, &str)]) -> Form {
    let mut form = Form::on("alias/x");
    form.context = rows.iter().map(|(name, value)| ContextRow::new(name, value)).collect();
    form.context.push(ContextRow::default());
    form
}

fn rows(form: &Form) -> Vec<(&str, &str)> {
    form.context.iter().map(|row| (row.name.value(), row.value.value())).collect()
}

fn type_text(form: &mut Form, text: &str) {
    for character in text.chars() {
        form.type_key(Chord::of(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE)));
    }
}

#[test]
fn a_fresh_form_begins_where_there_is_something_to_fill_in() {
    assert_eq!(Form::on("alias/x").focus, Focus::Name(0));
    assert_eq!(Form::on("").focus, Focus::Key);
    assert_eq!(Form::on("alias/x").context.len(), 1);
}

#[test]
fn the_fields_stand_in_one_order() {
    use Focus::{Bytes, DryRun, GrantTokens, Key, Name, Run, Size, Value};
    let mut form = form(&[("a", "1")]);
    assert_eq!(
        form.order(),
        [Key, Name(0), Value(0), Name(1), Value(1), Size, GrantTokens, DryRun, Run],
        "the number is no field while it is not chosen"
    );
    form.size = SizeChoice::Bytes;
    assert_eq!(form.order()[5..], [Size, Bytes, GrantTokens, DryRun, Run]);
}

#[test]
fn tab_goes_round_and_passes_the_value_of_a_fresh_row() {
    use Focus::{DryRun, GrantTokens, Key, Name, Run, Size, Value};
    let mut form = form(&[("a", "1")]);
    let forward = [Name(0), Value(0), Name(1), Size, GrantTokens, DryRun, Run, Key];
    form.focus = Key;
    for focus in forward {
        form.move_focus(1);
        assert_eq!(form.focus, focus);
    }
    for focus in forward.iter().rev().skip(1) {
        form.move_focus(-1);
        assert_eq!(form.focus, *focus);
    }
}

#[test]
fn an_emptied_row_goes_when_the_focus_leaves_it() {
    use Focus::{Key, Name, Size, Value};
    type Rows = &'static [(&'static str, &'static str)];
    let table: [(Rows, Focus, isize, Rows, Focus); 8] = [
        // (rows, focus, move, rows left, focus then)
        (&[("", ""), ("b", "2")], Name(0), 1, &[("b", "2"), ("", "")], Name(0)),
        (&[("", ""), ("b", "2")], Name(0), -1, &[("b", "2"), ("", "")], Key),
        (&[("", ""), ("b", "2")], Value(0), 1, &[("b", "2"), ("", "")], Name(0)),
        (&[("a", "1"), ("", "")], Name(1), 1, &[("a", "1"), ("", "")], Name(1)),
        (&[("a", "1"), ("", "")], Name(1), -1, &[("a", "1"), ("", "")], Value(0)),
        (&[("", ""), ("b", "2")], Value(1), 1, &[("b", "2"), ("", "")], Name(1)),
        (&[("", ""), ("b", "2")], Size, -1, &[("b", "2"), ("", "")], Name(1)),
        // A row that has a name or a value is no emptied row.
        (&[("a", ""), ("", "2")], Name(0), 1, &[("a", ""), ("", "2"), ("", "")], Value(0)),
    ];
    for (before, focus, by, after, then) in table {
        let mut form = form(before);
        form.focus = focus;
        form.move_focus(by);
        assert_eq!(rows(&form), after, "{before:?} {focus:?} {by}");
        assert_eq!(form.focus, then, "{before:?} {focus:?} {by}");
    }
}

#[test]
fn there_is_always_one_fresh_row_at_the_end() {
    let mut form = form(&[]);
    type_text(&mut form, "a");
    assert_eq!(rows(&form), [("a", ""), ("", "")]);
    type_text(&mut form, "b");
    assert_eq!(rows(&form), [("ab", ""), ("", "")]);
    form.focus = Focus::Name(1);
    form.paste("c").unwrap();
    assert_eq!(rows(&form), [("ab", ""), ("c", ""), ("", "")]);
}

#[test]
fn a_pasted_context_goes_where_the_focus_is() {
    let mut form = form(&[("a", "1"), ("", ""), ("z", "9")]);
    form.focus = Focus::Name(1);
    form.paste("b=2,c=3").unwrap();
    assert_eq!(rows(&form), [("a", "1"), ("b", "2"), ("c", "3"), ("z", "9"), ("", "")]);
    assert_eq!(form.focus, Focus::Name(3));
}

#[test]
fn a_paste_is_a_context_in_an_empty_name_alone() {
    for (focus, text, expected) in [
        (Focus::Name(0), "b=2", vec![("ab=2", "1"), ("", "")]),
        (Focus::Value(0), "b=2\n", vec![("a", "1b=2\n"), ("", "")]),
        (Focus::Name(1), " b=2 ", vec![("a", "1"), ("b", "2"), ("", "")]),
        (Focus::Name(1), "plain", vec![("a", "1"), ("plain", ""), ("", "")]),
    ] {
        let mut form = form(&[("a", "1")]);
        form.focus = focus;
        form.paste(text).unwrap();
        assert_eq!(rows(&form), expected, "{focus:?} {text:?}");
    }
}

#[test]
fn a_paste_into_key_loses_the_blanks_around_it() {
    let mut form = Form::on("");
    form.paste("  alias/x\n").unwrap();
    assert_eq!(form.key.value(), "alias/x");
}

#[test]
fn a_choice_turns_round() {
    let mut form = form(&[]);
    form.focus = Focus::Size;
    let mut seen = Vec::new();
    for _ in 0..4 {
        form.choose(1);
        seen.push(form.size);
    }
    assert_eq!(seen, [SizeChoice::Aes128, SizeChoice::Bytes, SizeChoice::Aes256, SizeChoice::Aes128]);
    form.choose(-1);
    form.choose(-1);
    assert_eq!(form.size, SizeChoice::Bytes);
    form.focus = Focus::DryRun;
    form.choose(-1);
    assert!(form.dry_run);
    form.focus = Focus::Key;
    form.choose(1);
    assert_eq!((form.size, form.dry_run), (SizeChoice::Bytes, true), "no choice has the focus");
}

#[test]
fn exactly_one_way_to_say_the_length_is_in_the_parameters() {
    for (size, bytes, spec, number) in [
        (SizeChoice::Aes256, "64", Some("AES_256"), None),
        (SizeChoice::Aes128, "", Some("AES_128"), None),
        (SizeChoice::Bytes, " 64 ", None, Some(64)),
        (SizeChoice::Bytes, "x", None, None),
    ] {
        let mut form = form(&[]);
        (form.size, form.bytes) = (size, Input::new(bytes.to_owned()));
        let parameters = form.parameters();
        assert_eq!((parameters.key_spec.as_deref(), parameters.number_of_bytes), (spec, number));
    }
}

#[test]
fn problems_stand_in_the_order_of_the_fields_and_what_is_missing_waits() {
    let mut form = form(&[("a", "1"), ("a", "2"), ("", "3"), ("b", "")]);
    form.key = Input::default();
    form.size = SizeChoice::Bytes;
    form.grant_tokens = Input::new("t ".repeat(11));
    form.focus = Focus::Run;
    let fields = |problems: Vec<FieldProblem>| -> Vec<(Focus, bool)> {
        problems.into_iter().map(|problem| (problem.focus, problem.warning)).collect()
    };
    let all = [
        (Focus::Key, false),
        (Focus::Name(1), false),
        (Focus::Name(2), false),
        (Focus::Value(3), true),
        (Focus::Bytes, false),
        (Focus::GrantTokens, false),
    ];
    assert_eq!(fields(form.problems()), all);
    // Nobody is told off for what is not filled in yet.
    assert_eq!(fields(form.shown_problems()), [all[1], all[2], all[3], all[5]]);
    form.tried = true;
    assert_eq!(fields(form.shown_problems()), all);
    let kept: Vec<_> = all.into_iter().filter(|(_, warning)| !warning).collect();
    assert_eq!(fields(form.request().unwrap_err()), kept);
}

#[test]
fn names_cycle_round_and_a_stranger_begins_at_the_first() {
    let names = ["alias/a", "id", "arn"].map(str::to_owned);
    for (typed, by, expected) in [
        ("alias/a", 1, "id"),
        ("arn", 1, "alias/a"),
        ("alias/a", -1, "arn"),
        ("else", 1, "alias/a"),
        ("else", -1, "alias/a"),
    ] {
        let mut form = Form::on(typed);
        form.cycle_name(&names, by);
        assert_eq!(form.key.value(), expected, "{typed} {by}");
    }
    let mut form = Form::on("x");
    form.cycle_name(&[], 1);
    assert_eq!(form.key.value(), "x");
}

#[test]
fn a_completion_needs_the_focus_some_text_and_the_cursor_at_its_end() {
    let mut form = Form::on("alias/a");
    assert_eq!(form.completable(), None, "the focus is elsewhere");
    form.focus = Focus::Key;
    assert_eq!(form.completable(), Some("alias/a"));
    form.key = Input::new("alias/a".to_owned()).with_cursor(2);
    assert_eq!(form.completable(), None, "the cursor is inside");
    form.key = Input::default();
    assert_eq!(form.completable(), None, "nothing is typed");
}

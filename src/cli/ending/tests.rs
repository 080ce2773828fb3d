use super::*;
use crate::domain::request::Parameter;

#[test]
fn every_kind_of_failure_has_its_exit_code() {
    use FailureKind as Kind;
    for (ending, kinds) in [
        (Ending::Refused, &[Kind::Refused, Kind::NotAllowed, Kind::Throttled][..]),
        (
            Ending::Environment,
            &[
                Kind::NoCredentials,
                Kind::CredentialsExpired,
                Kind::BadCredentials,
                Kind::NoRegion,
                Kind::NoProfile,
                Kind::Configuration,
            ],
        ),
        (
            Ending::Other,
            &[Kind::ServiceFault, Kind::Connect, Kind::Certificate, Kind::TimedOut, Kind::Store, Kind::Other],
        ),
    ] {
        for kind in kinds {
            assert_eq!(Ending::of(&Failure::new(*kind, "x")), ending, "{kind:?}");
        }
    }
}

#[test]
fn whatever_the_service_answers_is_its_no() {
    let mut failure = Failure::new(FailureKind::CredentialsExpired, "credentials expired");
    assert_eq!(Ending::of(&failure), Ending::Environment);
    failure.code = Some("ExpiredTokenException".to_owned());
    assert_eq!(Ending::of(&failure), Ending::Refused);
}

#[test]
fn an_answer_of_the_service_reads_as_in_the_aws_cli() {
    let mut failure = Failure::new(FailureKind::Refused, "it is not there").hint("look").command("aws kms x");
    failure.operation = Some("DescribeKey");
    failure.code = Some("NotFoundException".to_owned());
    failure.tried = vec![("here".to_owned(), "nothing".to_owned())];
    assert_eq!(
        lines_of(&failure),
        [
            "An error occurred (NotFoundException) when calling the DescribeKey operation: Unknown",
            "tried: here: nothing",
            "hint: look",
            "hint: aws kms x"
        ]
    );
    failure.message = Some("Key 'x' does not exist".to_owned());
    assert!(lines_of(&failure)[0].ends_with("DescribeKey operation: Key 'x' does not exist"));
    failure.code = None;
    assert_eq!(lines_of(&failure)[0], "kmx: it is not there");
}

#[test]
fn a_problem_names_its_flag() {
    let stop = Stop::problems(&[Problem::new(Parameter::NumberOfBytes, "too many")]);
    assert_eq!(stop.lines(), ["kmx: --number-of-bytes: too many"]);
    assert_eq!(stop.ending(), Ending::Usage);
}

#[test]
fn a_closed_pipe_is_success_without_a_word_and_a_full_disk_is_not() {
    let closed = Stop::Output(io::ErrorKind::BrokenPipe.into());
    assert_eq!((closed.ending(), closed.lines()), (Ending::Done, Vec::new()));
    let full = Stop::Output(io::ErrorKind::StorageFull.into());
    assert_eq!(full.ending(), Ending::Other);
    assert_eq!(full.lines().len(), 1);
}

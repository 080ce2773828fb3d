//! The address of a key in the AWS Management Console.
//!
//! Only what is sure: where a partition's console is not public, or the endpoint is not AWS's, there
//! is no address. Nothing is opened here.

use super::identifier::{Arn, is_key_id};
use super::place::Place;

/// Partitions whose console has a public host, and what follows `REGION.console.` in it.
const CONSOLES: [(&str, &str); 4] = [
    ("aws", "aws.amazon.com"),
    ("aws-cn", "amazonaws.cn"),
    ("aws-us-gov", "amazonaws-us-gov.com"),
    ("aws-eusc", "amazonaws-eusc.eu"),
];

/// The page of the key with this ARN, in its own region.
///
/// `None` where the key is not on AWS's own endpoint, where its partition has no console that is
/// public, and for text that is no key ARN: an endpoint's answer makes no address of its choice.
#[must_use]
pub fn address_of_key(place: &Place, key_arn: &str) -> Option<String> {
    if !place.is_aws_endpoint() {
        return None;
    }
    let arn = Arn::parse(key_arn)?;
    let key_id = arn.resource.strip_prefix("key/").filter(|id| is_key_id(id))?;
    let (_, host) = CONSOLES.into_iter().find(|(partition, _)| *partition == arn.partition)?;
    let region = arn.region;
    let is_region = region.contains('-')
        && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    is_region.then(|| format!("https://{region}.console.{host}/kms/home?region={region}#/kms/keys/{key_id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    fn address(partition: &str, region: &str) -> Option<String> {
        let place = Place::aws(None, Some(region.to_owned()), None);
        address_of_key(&place, &format!("arn:{partition}:kms:{region}:111122223333:key/{ID}"))
    }

    #[test]
    fn a_key_has_its_page_in_the_console_of_its_partition() {
        for (partition, region, host) in [
            ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
            ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
            ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
            ("aws-eusc", "eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
        ] {
            let page = format!("https://{host}/kms/home?region={region}#/kms/keys/{ID}");
            assert_eq!(address(partition, region), Some(page));
        }
        assert_eq!(address("aws-iso", "us-iso-east-1"), None);
    }

    #[test]
    fn what_is_not_on_aws_or_no_key_has_no_page() {
        let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{ID}");
        assert_eq!(address_of_key(&Place::local("us-east-1"), &arn), None);
        let mut place = Place::aws(None, None, Some("http://127.0.0.1:4599".to_owned()));
        assert_eq!(address_of_key(&place, &arn), None);
        place.endpoint_url = None;
        assert!(address_of_key(&place, &arn).is_some());
        for arn in [
            "arn:aws:kms:us-east-1:111122223333:alias/x",
            "arn:aws:kms:evil.example/:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:us-east-1:111122223333:key/../x",
            ID,
        ] {
            assert_eq!(address_of_key(&place, arn), None, "{arn}");
        }
    }
}

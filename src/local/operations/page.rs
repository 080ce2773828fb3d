//! The pages of listings. KMS API: `Limit`, `Marker`, `NextMarker`, `Truncated`.
//!
//! It must not know what is listed.

use serde_json::Value;

use crate::local::answer::Answer;
use crate::local::error::KmsError;
use crate::local::shape::{Input, Length, Pattern, Presence};

use super::{Call, Members};

/// The page sizes of an operation. The model lets every `Limit` be 1 to 1000; the documentation
/// narrows it for some. What the service does with a `Limit` between the two is not recorded: here
/// it gets the most that is documented, as "KMS might return fewer".
pub(super) struct PageSizes {
    pub default: usize,
    pub most: usize,
}

/// What a request asks of a listing.
pub(super) struct Page {
    pub limit: usize,
    marker: Option<String>,
}

impl Page {
    pub(super) fn read(input: &mut Input, sizes: &PageSizes) -> Result<Self, KmsError> {
        let limit = input.integer("Limit", 1, 1000)?;
        let marker = input.text("Marker", Presence::Optional, Length(1, 1024), Pattern::Latin1)?;
        Ok(Self { limit: limit.unwrap_or(sizes.default).min(sizes.most), marker })
    }

    /// What the page comes after, in the listing that `scope` describes beside the operation and the
    /// region.
    pub(super) fn after(&self, call: &Call<'_>, scope: &str) -> Result<Option<String>, KmsError> {
        let scope = [call.operation.name, call.region(), scope];
        self.marker.as_deref().map(|marker| call.service.markers.read(&scope, marker)).transpose()
    }

    /// The answer: the items, `NextMarker` where there are more, `Truncated`. `last` is what the next
    /// page comes after, where there is one.
    pub(super) fn answer(
        call: &Call<'_>,
        scope: &str,
        member: &str,
        items: Vec<Value>,
        last: Option<&str>,
    ) -> Answer {
        let scope = [call.operation.name, call.region(), scope];
        Members::default()
            .put(member, items)
            .put_some("NextMarker", last.map(|last| call.service.markers.issue(&scope, last)))
            .put("Truncated", last.is_some())
            .answer()
    }
}

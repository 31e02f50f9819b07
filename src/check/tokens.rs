//! Version tokens that do not identify versions: `etag-unchanged`, `etag-reused`.
//!
//! A strong token stands for one representation (RFC 9110 §8.8.1). A token that comes back *with* the old representation
//! (a hash of the content, after a change there and back) is lawful, so every rule here asks for two different pictures
//! under one token.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::ops::Deref;

use super::evidence::{Evidence, answer, whose};
use super::kind::Kind;
use super::round::{Picture, Round};
use crate::history::{Operation, Verb};
use crate::text::{harmless, short};

/// All evidence of this family in one round.
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    // A replay shows an old picture late, under its old token, and an older API has tags of its own: neither tells here.
    let tells = |picture: &Picture<'_>| !round.may_be_replay(picture.operation) && !round.is_aside(picture.operation);
    let pictures: Vec<Picture<'_>> = round.pictures_of_one_moment().filter(tells).collect();
    let trusted = LazyCell::new(|| digests_are_stable(&pictures, round));
    // Most tokens stand for one picture, however often they are shown: then there is nothing to compare.
    for shown in by_token(&pictures).into_iter().filter(|shown| !shown.iter().all(|other| is_same(shown[0], other))) {
        let pairs = (shown.iter().enumerate())
            .flat_map(|(index, first)| shown[index + 1..].iter().map(move |later| (*first, *later)))
            .filter(|(first, later)| is_other_picture(first, later, &trusted));
        for (first, later) in pairs {
            if let Some(evidence) = reused(first, later, &pictures).or_else(|| unchanged(round, first, later)) {
                found.push(evidence);
                return;
            }
        }
    }
}

/// The pictures under each strong token, in the order in which the tokens were first shown.
fn by_token<'r, 'a>(pictures: &'r [Picture<'a>]) -> Vec<Vec<&'r Picture<'a>>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Vec<&Picture<'_>>> = Vec::new();
    for picture in pictures {
        let Some(token) = picture.strong_token() else { continue };
        let place = *places.entry(token).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(picture);
    }
    groups
}

/// Whether two replies show the same, to the last byte that is known.
fn is_same(a: &Picture<'_>, b: &Picture<'_>) -> bool {
    (&a.reply.state, a.reply.version, a.reply.digest) == (&b.reply.state, b.reply.version, b.reply.digest)
}

/// Whether two replies show different representations. An action's body may hold more than the resource (a payment), and
/// another reader may see other fields, so whole bodies are compared between reads of one person alone, and only where they do
/// not differ anyway from read to read.
fn is_other_picture(a: &Picture<'_>, b: &Picture<'_>, digests: &impl Deref<Target = bool>) -> bool {
    let both_reads = a.operation.call.verb == Verb::Read && b.operation.call.verb == Verb::Read;
    let other_body = both_reads
        && a.operation.call.actor == b.operation.call.actor
        && a.reply.digest.zip(b.reply.digest).is_some_and(|(a, b)| a != b)
        && **digests;
    let other_version = a.reply.version.zip(b.reply.version).is_some_and(|(a, b)| a != b);
    other_version || a.reply.state != b.reply.state || other_body
}

/// Whether bodies can be compared: one person has read twice with no write near, and whoever did saw the same body both times.
/// Where they differ (a field that the description should have called volatile), or nobody looked twice, only states and
/// versions are compared.
fn digests_are_stable(pictures: &[Picture<'_>], round: Round<'_>) -> bool {
    let reads: Vec<&Picture<'_>> =
        pictures.iter().filter(|picture| picture.operation.call.verb == Verb::Read).collect();
    let undisturbed =
        |a: &Operation, b: &Operation| !round.actions().any(|action| !action.precedes(a) && !b.precedes(action));
    let mut twice = reads.iter().enumerate().flat_map(|(index, a)| {
        let by_the_same = |b: &&&Picture<'_>| b.operation.call.actor == a.operation.call.actor;
        (reads[index + 1..].iter().filter(by_the_same))
            .filter(|b| undisturbed(a.operation, b.operation))
            .map(|b| a.reply.digest == b.reply.digest)
    });
    twice.next().is_some_and(|first| first && twice.all(|same| same))
}

/// A third reply, between the two, showed another token: the token of the first came back.
fn reused(first: &Picture<'_>, later: &Picture<'_>, pictures: &[Picture<'_>]) -> Option<Evidence> {
    let between = pictures.iter().find(|between| {
        let other = between.strong_token().is_some() && between.strong_token() != first.strong_token();
        other && first.operation.precedes(between.operation) && between.operation.precedes(later.operation)
    })?;
    let sentence = format!(
        "the token {} was shown for {}, then {} for {}, and then {} again for {}: what was read first still passes as current",
        token(first),
        picture(first),
        token(between),
        picture(between),
        token(later),
        picture(later),
    );
    Some(Evidence::new(Kind::EtagReused, sentence, [first.operation.id, between.operation.id, later.operation.id]))
}

/// A change was acknowledged after the first picture and before (or by) the second one, and the token is the same. Without
/// a change that lies clearly between, two pictures may be those of two writers that overwrote each other: `updates` has that.
fn unchanged(round: Round<'_>, first: &Picture<'_>, later: &Picture<'_>) -> Option<Evidence> {
    let change = round.acks().find(|change| {
        let is_later = change.id() == later.operation.id || change.operation.precedes(later.operation);
        // An answer may be the stored one of another request with its key: then that one's work lies between, too.
        let began_after = |operation: &Operation| first.operation.precedes(operation);
        is_later && began_after(change.operation) && round.twins(change.operation).all(began_after)
    })?;
    let sentence = format!(
        "{} was acknowledged ({}), and changed {} to {}, but the token stayed {}",
        whose(change.operation),
        answer(change.operation),
        picture(first),
        picture(later),
        token(later),
    );
    Some(Evidence::new(Kind::EtagUnchanged, sentence, [first.operation.id, change.id(), later.operation.id]))
}

fn token(picture: &Picture<'_>) -> String {
    harmless(&short(picture.strong_token().map_or("", |token| token)), 60)
}

/// `pending_payment, version 1`
fn picture(picture: &Picture<'_>) -> String {
    let state = picture.reply.state.as_deref().unwrap_or("another body");
    let version = picture.reply.version.map(|version| format!(", version {version}")).unwrap_or_default();
    format!("`{}`{version}", harmless(state, 40))
}

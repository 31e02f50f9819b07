//! The openings and ends of windows in order of time, as a linked list that operations can be taken out of and put back.
//!
//! ```text
//! required  a[  b[  a]  c[  b]  c]      what stands before the first `]` may go next
//! optional    u[        v[              no end: may go next if it stands before that `]`, too
//! ```
//!
//! Taking a required operation out unlinks its two nodes; putting back undoes exactly that, if done in reverse order.
//! Optional ones stand in a list of their own that never changes.

use super::Entry;

/// A node's place; smaller is earlier.
pub(super) type Node = u32;

/// Comes before everything.
const HEAD: Node = 0;
/// Behind every node.
pub(super) const END: Node = Node::MAX;
/// An entry without an end.
const NONE: Node = Node::MAX;

/// All openings and ends.
#[derive(Debug)]
pub(super) struct Events {
    links: Vec<Link>,
    /// Each entry's two nodes.
    opening: Vec<Node>,
    end: Vec<Node>,
    /// Optional entries and where they open, in order.
    optional: Vec<(Node, u32)>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    before: Node,
    after: Node,
    entry: u32,
    is_end: bool,
}

/// What stands at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The window of this entry opens.
    Opens(usize),
    /// The window of this entry ends.
    Ends(usize),
}

impl Events {
    pub(super) fn of<Op>(entries: &[Entry<Op>]) -> Self {
        let mut moments = Vec::with_capacity(entries.len() * 2);
        for (index, entry) in entries.iter().enumerate() {
            let number = u32::try_from(index).expect("a history has fewer than 2^32 operations");
            // What opens at the very moment that another ends overlaps it: openings first.
            moments.push((entry.opened, false, number));
            if let (Some(closed), false) = (entry.closed, entry.optional) {
                moments.push((closed.max(entry.opened), true, number));
            }
        }
        moments.sort_unstable();
        let head = Link { before: END, after: END, entry: 0, is_end: false };
        let mut events = Self {
            links: vec![head],
            opening: vec![NONE; entries.len()],
            end: vec![NONE; entries.len()],
            optional: Vec::new(),
        };
        let mut last = HEAD;
        for (_, is_end, number) in moments {
            let entry = number as usize;
            let node = Node::try_from(events.links.len()).expect("a history has fewer than 2^31 operations");
            events.links.push(Link { before: last, after: END, entry: number, is_end });
            if entries[entry].optional {
                events.optional.push((node, number));
                continue;
            }
            events.links[last as usize].after = node;
            last = node;
            if is_end {
                events.end[entry] = node;
            } else {
                events.opening[entry] = node;
            }
        }
        events
    }

    /// The first that is left of what is required; [`END`] if nothing is.
    pub(super) fn first_required(&self) -> Node {
        self.links[HEAD as usize].after
    }

    /// How many optional entries were opened before `node`.
    pub(super) fn optional_before(&self, node: Node) -> usize {
        self.optional.partition_point(|(opening, _)| *opening < node)
    }

    /// An optional entry, by its place in order of opening.
    pub(super) fn optional(&self, place: usize) -> usize {
        self.optional[place].1 as usize
    }

    /// What stands at `node`; nothing at [`END`].
    pub(super) fn at(&self, node: Node) -> Option<Event> {
        let link = self.links.get(node as usize)?;
        let entry = link.entry as usize;
        Some(if link.is_end { Event::Ends(entry) } else { Event::Opens(entry) })
    }

    /// What follows `node`.
    pub(super) fn next(&self, node: Node) -> Node {
        self.links[node as usize].after
    }

    /// What follows the opening of `entry`, which must be in the list.
    pub(super) fn after_opening(&self, entry: usize) -> Node {
        self.next(self.opening[entry])
    }

    pub(super) fn take_out(&mut self, entry: usize) {
        // The end first: then the opening still knows what is left behind it.
        if self.end[entry] != NONE {
            self.unlink(self.end[entry]);
        }
        self.unlink(self.opening[entry]);
    }

    pub(super) fn put_back(&mut self, entry: usize) {
        self.relink(self.opening[entry]);
        if self.end[entry] != NONE {
            self.relink(self.end[entry]);
        }
    }

    fn unlink(&mut self, node: Node) {
        let Link { before, after, .. } = self.links[node as usize];
        self.links[before as usize].after = after;
        if after != END {
            self.links[after as usize].before = before;
        }
    }

    fn relink(&mut self, node: Node) {
        let Link { before, after, .. } = self.links[node as usize];
        self.links[before as usize].after = node;
        if after != END {
            self.links[after as usize].before = node;
        }
    }
}

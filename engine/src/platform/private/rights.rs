//! Rights to files as Windows writes them (SDDL): `O:owner`, `D:` and a list of `(kind;flags;rights;;;account)`.

use super::Readers;

/// Reads what a file holds, or what is in a folder.
const READ: u32 = 0x0001;
/// Writes a file, adds to it or to a folder, removes from a folder; removes it, or changes its rights or its owner.
const CHANGE: u32 = 0x0002 | 0x0004 | 0x0040 | 0x0001_0000 | 0x0004_0000 | 0x0008_0000;

/// What letters stand for, as far as they let somebody read or change a file.
const LETTERS: [(&str, u32); 16] = [
    ("GA", READ | CHANGE),
    ("GR", READ),
    ("GW", 0x0002 | 0x0004),
    ("GX", 0),
    ("FA", READ | CHANGE),
    ("FR", READ),
    ("FW", 0x0002 | 0x0004),
    ("FX", 0),
    ("SD", 0x0001_0000),
    ("WD", 0x0004_0000),
    ("WO", 0x0008_0000),
    ("RC", 0),
    // Rights of folders, by the names of those of directories of accounts.
    ("CC", READ),
    ("DC", 0x0002),
    ("LC", 0x0004),
    ("DT", 0x0040),
];

/// Accounts that have every right anyway: the system, the administrators, and who installs Windows itself.
const ADMINISTER: [&str; 3] = [
    "S-1-5-18",
    "S-1-5-32-544",
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
];

/// Accounts that stand for the owner, whoever that is.
const OWNER: [&str; 2] = ["S-1-3-0", "S-1-3-4"];

/// Accounts that everybody on the machine has: everyone, those who have signed in, at the machine or over the network,
/// guests and users.
const EVERYONE: [&str; 7] = [
    "S-1-1-0",
    "S-1-5-2",
    "S-1-5-4",
    "S-1-5-7",
    "S-1-5-11",
    "S-1-5-32-545",
    "S-1-5-32-546",
];

/// What two letters in the place of an account stand for.
const SHORT: [(&str, &str); 13] = [
    ("SY", "S-1-5-18"),
    ("BA", "S-1-5-32-544"),
    ("CO", "S-1-3-0"),
    ("OW", "S-1-3-4"),
    ("WD", "S-1-1-0"),
    ("NU", "S-1-5-2"),
    ("IU", "S-1-5-4"),
    ("AN", "S-1-5-7"),
    ("AU", "S-1-5-11"),
    ("BU", "S-1-5-32-545"),
    ("BG", "S-1-5-32-546"),
    ("LS", "S-1-5-19"),
    ("NS", "S-1-5-20"),
];

/// The rights of a new file that only this account and the system can open.
pub(super) fn of_file(sid: &str) -> String {
    format!("O:{sid}D:P(A;;FA;;;{sid})(A;;FA;;;SY)")
}

/// As [`of_file`], for a folder, and for all that is made in it.
pub(super) fn of_folder(sid: &str) -> String {
    format!("O:{sid}D:P(A;OICI;FA;;;{sid})(A;OICI;FA;;;SY)")
}

/// An account, written out.
pub(super) fn full(sid: &str) -> &str {
    SHORT
        .iter()
        .find(|(short, _)| *short == sid)
        .map_or(sid, |(_, full)| full)
}

/// Whether two accounts are one.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    full(one) == full(other)
}

/// Whether an account has every right to the machine.
pub(super) fn administers(sid: &str) -> bool {
    ADMINISTER.contains(&full(sid))
}

/// Whose a file is, and who may do what with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) owner: String,
    /// Without a list, everybody has every right.
    given: Option<Vec<Given>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Given {
    to: String,
    rights: u32,
}

impl Rights {
    /// None where it is not understood.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (owner, list) = text.strip_prefix("O:")?.split_once("D:")?;
        // A group may stand between them.
        let owner = owner.split("G:").next()?.to_owned();
        let list = list.split("S:(").next()?;
        if list.starts_with("NO_ACCESS_CONTROL") {
            return Some(Self { owner, given: None });
        }
        let mut given = Vec::new();
        for one in list.split('(').skip(1) {
            given.extend(Given::parse(one.split(')').next()?)?);
        }
        Some(Self {
            owner,
            given: Some(given),
        })
    }

    pub(super) fn readers(&self, us: &str) -> Readers {
        let Some(given) = &self.given else {
            return Readers::Everyone;
        };
        let readers = given.iter().filter(|one| one.rights & READ != 0);
        let others: Vec<&Given> = readers.filter(|one| one.is_of_others(us)).collect();
        if others.is_empty() {
            Readers::Nobody
        } else if others.iter().any(|one| one.is_of_everyone()) {
            Readers::Everyone
        } else {
            Readers::Group
        }
    }

    pub(super) fn lets_others_change(&self, us: &str) -> bool {
        self.changers(|one| one.is_of_others(us))
    }

    pub(super) fn lets_everyone_change(&self) -> bool {
        self.changers(Given::is_of_everyone)
    }

    fn changers(&self, who: impl Fn(&Given) -> bool) -> bool {
        let may = |given: &Vec<Given>| given.iter().any(|one| one.rights & CHANGE != 0 && who(one));
        self.given.as_ref().is_none_or(may)
    }
}

impl Given {
    /// What one item of a list gives; nothing, where it takes rights away or is for what is made in a folder only.
    /// What takes away is not counted: nobody is trusted because of it.
    fn parse(item: &str) -> Option<Option<Self>> {
        let mut parts = item.split(';');
        let (kind, flags, rights) = (parts.next()?, parts.next()?, parts.next()?);
        let to = full(parts.nth(2)?);
        match kind {
            "A" | "OA" | "XA" | "ZA" => {}
            "D" | "OD" | "XD" => return Some(None),
            _ => return None,
        }
        let inherit_only = flags.as_bytes().chunks(2).any(|flag| flag == b"IO");
        if inherit_only {
            return Some(None);
        }
        let rights = match rights.strip_prefix("0x") {
            Some(number) => generic(u32::from_str_radix(number, 16).ok()?),
            None => letters(rights)?,
        };
        Some(Some(Self {
            to: to.to_owned(),
            rights,
        }))
    }

    fn is_of_others(&self, us: &str) -> bool {
        !administers(&self.to) && !OWNER.contains(&self.to.as_str()) && self.to != us
    }

    fn is_of_everyone(&self) -> bool {
        EVERYONE.contains(&self.to.as_str())
    }
}

/// Rights by their letters, two each; those that matter to nobody here count as none.
fn letters(text: &str) -> Option<u32> {
    let mut all = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (two, more) = rest.split_at_checked(2)?;
        rest = more;
        all |= LETTERS
            .iter()
            .find(|(letters, _)| *letters == two)
            .map_or(0, |(_, rights)| *rights);
    }
    Some(all)
}

/// A number with those rights that stand for others written out.
fn generic(number: u32) -> u32 {
    let generic = [(0x8000_0000, "GR"), (0x4000_0000, "GW"), (0x1000_0000, "GA")];
    let named = generic.iter().filter(|(bit, _)| number & bit != 0);
    named
        .filter_map(|(_, two)| letters(two))
        .fold(number, |all, more| all | more)
}

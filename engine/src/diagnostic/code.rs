//! The stable codes of all that people are told, each with a page in `docs/errors/`.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($code:ident $variant:ident $title:literal;)*) => {
        /// A problem that people can be told of. A code is never used again for another problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code there is, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as people read it: `RB0007`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($code),)*
                }
            }

            /// The problem in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)*
                }
            }

            /// The page that explains it, in Markdown.
            #[must_use]
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$variant =>
                        include_str!(concat!("../../../docs/errors/", stringify!($code), ".md")),)*
                }
            }
        }
    };
}

codes! {
    // The file and its YAML.
    RB0001 UnreadableFile "a file cannot be read";
    RB0002 YamlSyntax "the text is not YAML";
    RB0003 TooBig "a file is larger, deeper or longer than allowed";
    RB0004 DuplicateKey "a key stands twice in one map";
    RB0005 UnknownKey "a key that means nothing here";
    RB0006 WrongType "a value of another type was expected";
    RB0007 MissingKey "a key is missing";
    RB0008 InvalidName "a name that does not follow the rules";
    RB0009 InvalidValue "a value that is not allowed here";
    // The graph of steps.
    RB0020 UnknownStep "a step that does not exist";
    RB0021 Cycle "steps that need each other";
    RB0022 UnknownRole "a role that is not declared";
    RB0023 UnknownSession "a session that is not declared";
    RB0024 RoleOfNobody "a role that nobody has";
    // Plugins.
    RB0030 UnknownPlugin "a kind of step that does not exist";
    RB0032 InputProblem "an input that the plugin cannot use";
    RB0033 UndefinedKind "a site step that no file defines";
    RB0034 ScriptMistake "a mistake in a site step's script";
    RB0035 ScriptFailed "a script failed";
    RB0036 FileChanged "a file was changed since the run began";
    // Overlays.
    RB0040 NotARunbook "a file of another kind stands where a runbook is needed";
    RB0041 OverlayAnchor "an overlay names something that the runbook does not have";
    RB0042 OverlayConflict "two changes of one thing contradict each other";
    RB0043 OverlayForOther "an overlay was written for another runbook";
    RB0044 SkippedStepRead "a step reads one that is never carried out";
    RB0045 OverlayExists "an overlay adds what is there already";
    // A runbook's own tests.
    RB0060 TestFailed "a test did not end as it expects";
    RB0061 NoTests "there are no tests";
    RB0062 TestNames "a test names something that the runbook does not have";
    // Parameters.
    RB0100 ParameterMissing "a parameter has no value";
    RB0101 ParameterInvalid "a value that does not fit its parameter";
    RB0102 ParameterUnknown "a parameter that the runbook does not have";
    RB0103 SecretOnCommandLine "a secret was given where others can see it";
    RB0104 SecretInArguments "a secret in a program's arguments";
    RB0105 SecretUnknown "a secret that the runbook does not have";
    RB0106 SecretSource "a secret could not be had from its source";
    RB0107 SecretUnfit "a value that cannot be kept secret";
    RB0108 SecretMissing "a step needs a secret that nobody gave";
    RB0109 SecretFileOpen "a file with a secret that others can read";
    RB0113 LikeAnother "a run is to be repeated that is not quite the same";
    // Expressions.
    RB0200 ExpressionSyntax "an expression that does not compile";
    RB0201 ExpressionUnknownName "an expression names something unknown";
    RB0202 ExpressionFailed "an expression could not be evaluated";
    RB0203 TemplateInScript "a template in a script, where it is not filled in";
    RB0204 StepNotNeeded "a step reads another that it does not need";
    // PowerShell.
    RB0300 ScriptSyntax "a script that PowerShell would not read";
    RB0301 TypographicCharacter "a typographic quotation mark or dash in a script";
    RB0302 PowerShellMissing "PowerShell cannot be started";
    RB0303 PowerShellEdition "another PowerShell than the one that is needed";
    RB0304 NotElevated "a step needs administrator's rights";
    RB0305 ScriptAsked "a script asks, and nobody can answer";
    RB0306 ModuleMissing "a module or a command is missing";
    RB0307 ExecutionPolicy "a policy keeps scripts from being carried out";
    RB0308 FarmNotAccessible "the farm or another server refuses the account";
    RB0309 ServerUnreachable "another machine cannot be reached";
    RB0310 ServerRefuses "another machine does not let the account in";
    RB0311 ServerKey "another machine's host key is not the one that is known";
    RB0312 ServerPowerShell "another machine has no PowerShell that can be started";
    RB0313 ConnectionLost "the connection with another machine was lost";
    // Requests.
    RB0320 SignInFailed "nobody could sign in";
    RB0321 OtherTenant "a sign-in to another tenant than the one that is meant";
    RB0322 NotPermitted "Microsoft Graph refuses what a step asks for";
    RB0323 NoAnswer "a server does not answer, or not yet";
    RB0324 LedElsewhere "an address leads to another place";
    RB0325 CollectionUnsafe "a collection that cannot be changed without losing something";
    // The state folder and journals.
    RB0400 StateFolder "the state folder cannot be used";
    RB0401 RunNotFound "no run of that name";
    RB0402 RunAmbiguous "several runs have that name";
    RB0403 RunHeld "another process holds the run";
    RB0404 JournalDamaged "a journal cannot be trusted";
    RB0405 JournalNewer "a journal was written by a newer program";
    RB0406 JournalWrite "an entry could not be made durable";
    RB0407 StateFolderForeign "the state folder is not yours to use";
    RB0408 NoDoor "other terminals cannot act on a run that is carried out";
    RB0409 HolderFailed "the process that holds a run could not do what it was asked";
    RB0410 NotSigned "an entry could not be signed";
    RB0411 NotAsked "an entry was to be signed that nobody asked for";
    // Bundles.
    RB0420 BundleDamaged "a bundle cannot be trusted";
    RB0421 BundleTooLarge "a bundle is larger than allowed";
    RB0422 BundleForks "a run was continued in two places";
    RB0423 BundleOld "a bundle holds nothing that is not here";
    RB0424 RunIsCopy "a run is a copy, and can only be read here";
    RB0425 BundleLocked "a bundle is encrypted for somebody else";
    // The database of runs.
    RB0430 DatabaseAway "the database of runs cannot be reached";
    RB0431 DatabaseRefused "the database of runs refuses what it is asked";
    RB0432 DatabaseNewer "the database of runs was set up by a newer program";
    RB0433 DatabaseAddress "an address that names no database of runs";
    RB0434 NotShared "workers need a database that a team shares";
    // Acts on a run.
    RB0500 ActRejected "the run is not where that act is possible";
    RB0501 StepNotInRun "the run has no such step";
    RB0502 EvidenceMissing "a manual step lacks what it asks for";
    RB0503 Usage "the command line does not say what to do";
    RB0504 OutputLost "what was printed is not all there";
    RB0505 InOtherHands "the run is in somebody else's hands";
    RB0506 Forbidden "somebody may not do that";
    RB0510 KeyUnusable "a key cannot be used";
    // Files that are written for people.
    RB0520 OutputExists "a file is there already";
    RB0521 OutputNotWritten "a file could not be written";
    RB0522 PictureTooLarge "too many steps for a drawing";
    // Watching from outside.
    RB0523 CannotBeWatched "an address or a folder for watching that cannot be used";
    RB0524 NotWatched "something is missing for those who watch a run";
    RB0900 Internal "a fault of the program itself";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Not one of the codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an error code")]
pub struct UnknownCode(String);

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let wanted = text.to_ascii_uppercase();
        let found = Self::ALL.iter().find(|code| code.as_str() == wanted);
        found.copied().ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

//! How fast the program is, held against the disk, `make` and `ninja`: all in one run, in turns, with each ratio.
//!
//!     cargo bench --bench speed            some minutes
//!     cargo bench --bench speed -- quick   less, and less exact
//!
//! `docs/performance.md` says what is measured, and what was found. `scripts/setup --bench` installs what it needs.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "this measures, and prints what it found"
)]

mod measure;
mod table;
mod work;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use measure::{Rounds, appends, program};
use table::{Table, ms};
use work::{Shape, Work};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Size {
    rounds: usize,
    chain: usize,
    independent: usize,
    runs: usize,
    growth: &'static [usize],
}

const FULL: Size = Size {
    rounds: 7,
    chain: 1000,
    independent: 1000,
    runs: 1000,
    growth: &[1_000, 10_000, 50_000],
};

const QUICK: Size = Size {
    rounds: 3,
    chain: 200,
    independent: 200,
    runs: 100,
    growth: &[1_000, 10_000],
};

fn main() -> Outcome {
    let quick = std::env::args().any(|word| word == "quick");
    let size = if quick { QUICK } else { FULL };
    for peer in ["make", "ninja"] {
        measure::installed(peer)?;
    }
    // On the disk on which the program is built, since the usual folder for temporary files may be in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut table = Table::new();
    in_process(folder.path(), size, &mut table)?;
    for (count, shape, aim) in [
        (100, Shape::Chain, 1.5),
        (size.independent, Shape::Independent, 1.3),
    ] {
        processes(folder.path(), size, count, shape, aim, &mut table)?;
    }
    one_step(folder.path(), size, &mut table)?;
    list(folder.path(), size, &mut table)?;
    growth(folder.path(), size, &mut table)?;
    table.end();
    Ok(())
}

/// A chain of steps that call no program, against as many bare appends with `fdatasync`.
fn in_process(folder: &Path, size: Size, table: &mut Table) -> Outcome {
    let work = Work::new(folder, "in-process", Shape::Chain, size.chain, work::IN_PROCESS)?;
    let (mut bare, mut ours) = (Rounds::default(), Rounds::default());
    for _ in 0..size.rounds {
        bare.add(appends(folder, size.chain)?);
        ours.add(program(&mut work.exec(1))?);
    }
    let what = format!("chain of {} `rhai` steps", size.chain);
    table.against(&what, size.chain, &ours, "bare appends", &bare, Some(1.6));
    Ok(())
}

fn processes(folder: &Path, size: Size, count: usize, shape: Shape, aim: f64, table: &mut Table) -> Outcome {
    let work = Work::new(folder, &format!("{shape}-{count}"), shape, count, work::TRUE)?;
    let [mut make, mut ninja, mut ours] = <[Rounds; 3]>::default();
    for _ in 0..size.rounds {
        make.add(program(&mut work.make())?);
        ninja.add(program(&mut work.ninja())?);
        ours.add(program(&mut work.exec(2))?);
    }
    let what = format!("{count} `/bin/true`, {shape}");
    table.against(&what, count, &ours, "make -j2", &make, Some(aim));
    let aim = (shape == Shape::Independent).then_some(1.0);
    table.against(&what, count, &ours, "ninja -j2", &ninja, aim);
    Ok(())
}

fn one_step(folder: &Path, size: Size, table: &mut Table) -> Outcome {
    let work = Work::new(folder, "one", Shape::Chain, 1, work::TRUE)?;
    let (mut make, mut ours) = (Rounds::default(), Rounds::default());
    for _ in 0..size.rounds * 5 {
        make.add(program(&mut work.make())?);
        ours.add(program(&mut work.exec(1))?);
    }
    table.against("one step, whole program", 1, &ours, "make", &make, None);
    table.limit("one step, whole program", ours.wall(), Duration::from_millis(10));
    Ok(())
}

fn list(folder: &Path, size: Size, table: &mut Table) -> Outcome {
    let work = Work::new(folder, "listed", Shape::Chain, 1, work::IN_PROCESS)?;
    for _ in 0..size.runs {
        program(&mut work.exec(1))?;
    }
    let mut ours = Rounds::default();
    for _ in 0..size.rounds {
        ours.add(program(&mut work.runbook(&["list"]))?);
    }
    let what = format!("`list` over {} runs", size.runs);
    table.limit(&what, ours.wall(), Duration::from_millis(100));
    Ok(())
}

/// Runs of growing size whose steps each need three of the layer before; the last waits for a person.
fn growth(folder: &Path, size: Size, table: &mut Table) -> Outcome {
    let mut first: Option<Duration> = None;
    for &count in size.growth {
        let work = Work::new(
            folder,
            &format!("grown-{count}"),
            Shape::Layers,
            count,
            work::IN_PROCESS,
        )?;
        let carried = program(&mut work.exec(4))?;
        let resumed = program(&mut work.runbook(&["resume", &work.name(), "--non-interactive"]))?;
        let each = carried.wall / u32::try_from(count)?;
        let ratio = each.as_secs_f64() / first.get_or_insert(each).as_secs_f64();
        table.note(&format!(
            "{count:>6} steps, each needs three: {:>8} a step ({ratio:.2} times the first), {} MiB, resumed in {} with {} MiB",
            ms(each),
            carried.peak_mib,
            ms(resumed.wall),
            resumed.peak_mib
        ));
        if count == 10_000 {
            table.limit("10,000 steps resumed", resumed.wall, Duration::from_secs(1));
            let most = carried.peak_mib.max(resumed.peak_mib);
            table.verdict(
                "10,000 steps, memory",
                &format!("{most} MiB"),
                "150 MiB",
                most < 150,
            );
        }
    }
    Ok(())
}

//! What processes use, as `/proc` shows it.

use std::fs;
use std::time::Duration;

use crate::Failure;

/// The children of a process that its first thread has started.
pub fn children(process: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let ids = children.split_whitespace().map(str::parse);
    ids.filter_map(Result::ok).collect()
}

/// The processor time that a process has used.
pub fn cpu_time(process: u32) -> Result<Duration, Failure> {
    let [own, _] = cpu_times(process)?;
    Ok(own)
}

/// The processor time that a process and its children have used, also those that have ended.
pub fn cpu_time_of_all(process: u32) -> Result<Duration, Failure> {
    let [own, ended] = cpu_times(process)?;
    // A child that has just ended counts among the ended ones the next time.
    let children = children(process).into_iter().map(cpu_time);
    let running: Duration = children.filter_map(Result::ok).sum();
    Ok(own + ended + running)
}

/// The processor time of a process, and of its children that have ended.
fn cpu_times(process: u32) -> Result<[Duration; 2], Failure> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
    // User and system time are fields 14 and 15, in hundredths of a second, and those of ended
    // children the next two. The first two fields are before the bracket.
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let mut next = || ticks.next().ok_or("no such field in a stat");
    let own = next()?? + next()??;
    let ended = next()?? + next()??;
    Ok([own, ended].map(|ticks| Duration::from_millis(ticks * 10)))
}

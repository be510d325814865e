//! A queue of log lines, and the thread that writes them.
//!
//! # Guarantees
//! - Adding a line never waits for its reader, and never fails.
//! - Lines that find the queue full, or that cannot be written, are lost. Their number is written
//!   in their place as soon as something can be written again.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most bytes of waiting lines.
const MOST_BYTES: usize = 1024 * 1024;

/// The pause before the next attempt to write to a pipe that is full and does not block.
const FULL_PIPE_PAUSE: Duration = Duration::from_millis(20);

/// The handle to the queue. It is cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct LineQueue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    /// The length of all waiting lines.
    bytes: usize,
    /// Whether the thread handles an entry that it has removed.
    is_writing: bool,
}

#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    /// So many lines are lost at this place.
    Lost(u64),
}

impl LineQueue {
    /// Starts the thread that writes to `output`. `notice` is the line about lost lines.
    pub fn start(output: impl Write + Send + 'static, notice: fn(u64) -> String) -> Self {
        let lines = Self(Arc::default());
        let writer = LineWriter {
            output,
            notice,
            lost: 0,
            is_line_torn: false,
        };
        let queue = lines.clone();
        // Without the thread there is no log, as without a reader of it.
        let _ = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || queue.write_all_to(writer));
        lines
    }

    /// Waits until all lines are written or lost, but at most this long.
    pub fn flush(&self, limit: Duration) {
        let is_busy = |queue: &mut Queue| queue.is_writing || !queue.entries.is_empty();
        drop(
            self.0
                .changed
                .wait_timeout_while(self.lock(), limit, is_busy),
        );
    }

    fn push(&self, line: &[u8]) {
        let mut queue = self.lock();
        if queue.bytes + line.len() <= MOST_BYTES {
            queue.bytes += line.len();
            queue.entries.push_back(Entry::Line(line.to_owned()));
        } else if let Some(Entry::Lost(count)) = queue.entries.back_mut() {
            *count += 1;
        } else {
            queue.entries.push_back(Entry::Lost(1));
        }
        drop(queue);
        self.0.changed.notify_all();
    }

    fn write_all_to(&self, mut writer: LineWriter<impl Write>) {
        loop {
            match self.next() {
                Entry::Line(line) => writer.write(&line),
                Entry::Lost(count) => writer.report_lost(count),
            }
        }
    }

    /// Waits for the next entry.
    fn next(&self) -> Entry {
        let mut queue = self.lock();
        queue.is_writing = false;
        self.0.changed.notify_all();
        loop {
            if let Some(entry) = queue.entries.pop_front() {
                if let Entry::Line(line) = &entry {
                    queue.bytes -= line.len();
                }
                queue.is_writing = true;
                return entry;
            }
            queue = self
                .0
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The subscriber writes each line with one call.
impl Write for LineQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes lines, and counts those that cannot be written.
struct LineWriter<W> {
    output: W,
    notice: fn(u64) -> String,
    /// The lines that are lost and not yet reported.
    lost: u64,
    /// Whether only the beginning of the last line could be written.
    is_line_torn: bool,
}

impl<W: Write> LineWriter<W> {
    fn write(&mut self, line: &[u8]) {
        self.report_lost(0);
        if self.lost > 0 || self.try_write(line).is_err() {
            self.lost += 1;
        }
    }

    /// Counts lost lines, and tries to write how many there are.
    fn report_lost(&mut self, more: u64) {
        self.lost += more;
        if self.lost > 0 && self.try_write((self.notice)(self.lost).as_bytes()).is_ok() {
            self.lost = 0;
        }
    }

    fn try_write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_line_torn {
            self.try_write_bytes(b"\n")?;
            self.is_line_torn = false;
        }
        self.try_write_bytes(line)
    }

    fn try_write_bytes(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.output.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = &bytes[written..];
                    self.is_line_torn = !bytes.is_empty();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(FULL_PIPE_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn notice(count: u64) -> String {
        format!("lost {count}\n")
    }

    /// An output whose writes have the outcomes that the test sends, one after the other.
    struct Scripted {
        outcomes: mpsc::Receiver<io::Result<usize>>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let most = self.outcomes.recv().unwrap()?;
            let count = bytes.len().min(most);
            self.written.lock().unwrap().extend(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Test {
        lines: LineQueue,
        outcomes: mpsc::Sender<io::Result<usize>>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Test {
        fn new() -> Self {
            let (outcomes, receiver) = mpsc::channel();
            let written = Arc::<Mutex<Vec<u8>>>::default();
            let output = Scripted {
                outcomes: receiver,
                written: written.clone(),
            };
            Self {
                lines: LineQueue::start(output, notice),
                outcomes,
                written,
            }
        }

        fn allow(&self, outcomes: impl IntoIterator<Item = io::Result<usize>>) {
            for outcome in outcomes {
                self.outcomes.send(outcome).unwrap();
            }
        }

        fn text(&self) -> String {
            self.lines.flush(LONG);
            String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
        }
    }

    fn broken() -> io::Result<usize> {
        Err(ErrorKind::BrokenPipe.into())
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_once_the_output_works() {
        let test = Test::new();
        test.allow([broken(), broken(), broken(), Ok(99), Ok(99)]);
        for line in ["a\n", "b\n", "c\n", "d\n"] {
            test.lines.push(line.as_bytes());
        }
        assert_eq!(test.text(), "lost 3\nd\n");
    }

    #[test]
    fn stuck_reader_delays_no_line_and_the_lost_ones_are_counted_in_their_place() {
        let test = Test::new();
        let line = [b'x'; 1024];
        test.lines.push(&line);
        while !test.lines.lock().is_writing {
            std::thread::yield_now();
        }
        let room = MOST_BYTES / line.len();
        for _ in 0..room + 50 {
            test.lines.push(&line);
        }
        // Not even the first line is written yet.
        test.lines.flush(Duration::ZERO);
        test.allow((0..room + 3).map(|_| Ok(line.len())));
        test.lines.flush(LONG);
        test.lines.push(b"later\n");
        let text = test.text();
        assert!(text.ends_with("xlost 50\nlater\n"));
        assert_eq!(
            text.bytes().filter(|byte| *byte == b'x').count(),
            (room + 1) * line.len()
        );
    }

    #[test]
    fn line_after_a_torn_one_begins_a_new_line() {
        let test = Test::new();
        test.allow([Ok(2), broken(), Ok(99), Ok(99), Ok(99)]);
        test.lines.push(b"torn\n");
        test.lines.push(b"whole\n");
        assert_eq!(test.text(), "to\nlost 1\nwhole\n");
    }

    #[test]
    fn interrupted_and_full_writes_are_repeated() {
        let test = Test::new();
        test.allow([
            Err(ErrorKind::Interrupted.into()),
            Err(ErrorKind::WouldBlock.into()),
            Ok(99),
        ]);
        test.lines.push(b"line\n");
        assert_eq!(test.text(), "line\n");
    }
}

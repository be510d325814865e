//! The numbers that the system has about this process, under the
//! [usual names](https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics).

use procfs::process::{LimitValue, Process};
use procfs::{ProcResult, WithCurrentSystemInfo};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Reads the numbers at each request. What cannot be read is left out.
#[derive(Debug)]
pub(super) struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let Ok(numbers) = Numbers::read() else {
            return Ok(());
        };
        let seconds = Some(&Unit::Seconds);
        let bytes = Some(&Unit::Bytes);
        let cpu = ConstCounter::new(numbers.cpu_seconds);
        let help = "Processor time, in user and system mode";
        let cpu_encoder =
            encoder.encode_descriptor("process_cpu", help, seconds, cpu.metric_type())?;
        cpu.encode(cpu_encoder)?;
        let help = "Start of the process since the Unix epoch";
        let gauges = [
            ("process_start_time", help, seconds, numbers.start),
            (
                "process_resident_memory",
                "Resident memory",
                bytes,
                numbers.resident_bytes as f64,
            ),
            (
                "process_open_fds",
                "Open file descriptors",
                None,
                numbers.open_descriptors as f64,
            ),
            (
                "process_max_fds",
                "Most open file descriptors",
                None,
                numbers.most_descriptors as f64,
            ),
        ];
        for (name, help, unit, value) in gauges {
            let gauge = ConstGauge::new(value);
            let gauge_encoder = encoder.encode_descriptor(name, help, unit, gauge.metric_type())?;
            gauge.encode(gauge_encoder)?;
        }
        Ok(())
    }
}

struct Numbers {
    cpu_seconds: f64,
    start: f64,
    resident_bytes: u64,
    open_descriptors: usize,
    most_descriptors: u64,
}

impl Numbers {
    fn read() -> ProcResult<Self> {
        let process = Process::myself()?;
        let stat = process.stat()?;
        let ticks = procfs::ticks_per_second() as f64;
        let booted = procfs::boot_time_secs()? as f64;
        let most = process.limits()?.max_open_files.soft_limit;
        Ok(Self {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
            start: booted + stat.starttime as f64 / ticks,
            resident_bytes: stat.rss_bytes().get(),
            open_descriptors: process.fd_count()?,
            most_descriptors: match most {
                LimitValue::Value(most) => most,
                LimitValue::Unlimited => u64::MAX,
            },
        })
    }
}

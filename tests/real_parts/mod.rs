//! Real databases for tests: started once per test program from the system's packages, in a temporary folder, on a
//! free port, and stopped when the program ends, however it ends.
//!
//! ```text
//! test program ── holds a pipe ──► watchdog (sh) ── starts ──► postgres
//!      ╳ ends, is killed …            │ reads: end of file
//!                                     └── stops postgres, removes the folder
//! ```
//!
//! Where a package is missing, the tests that need it are left out, and stderr says which and how to get it. With
//! `QUICKEATS_BENCH_REQUIRE_REAL_PARTS=1` in the environment they fail instead.

use std::fs;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

const REDIS: &str = "/usr/bin/redis-server";
const REDIS_DATABASES: u32 = 1000;
const PATIENCE: Duration = Duration::from_mins(1);

/// A server of this test program. Its watchdog stops it when `_pipe` closes, which the program's end does.
struct Part {
    port: u16,
    _watchdog: Mutex<Child>,
}

/// Whether `test` can have PostgreSQL. If not, it is said that the test is left out.
pub(crate) fn has_postgres(test: &str) -> bool {
    let installed = postgres_programs().is_some();
    if !installed {
        leave_out(test, "PostgreSQL", "postgresql");
    }
    installed
}

/// The URL of a fresh and empty PostgreSQL database.
pub(crate) fn postgres() -> String {
    static SERVER: LazyLock<Part> = LazyLock::new(start_postgres);
    let database = format!("t{}", uuid::Uuid::new_v4().simple());
    let created = Command::new(postgres_programs().unwrap().join("psql"))
        .args(["-h", "127.0.0.1", "-p", &SERVER.port.to_string(), "-U", "bench", "-q", "-d", "postgres", "-c"])
        .arg(format!("CREATE DATABASE {database}"))
        .output()
        .unwrap();
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    format!("postgres://bench@127.0.0.1:{}/{database}", SERVER.port)
}

/// Whether `test` can have Redis. If not, it is said that the test is left out.
pub(crate) fn has_redis(test: &str) -> bool {
    let installed = Path::new(REDIS).exists();
    if !installed {
        leave_out(test, "Redis", "redis-server");
    }
    installed
}

/// The URL of a fresh and empty Redis database.
pub(crate) fn redis() -> String {
    static SERVER: LazyLock<Part> = LazyLock::new(start_redis);
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let database = NEXT.fetch_add(1, Ordering::Relaxed);
    assert!(database < REDIS_DATABASES, "more tests than databases");
    format!("redis://127.0.0.1:{}/{database}", SERVER.port)
}

/// Past the test harness, which shows what a passing test printed to nobody.
fn leave_out(test: &str, part: &str, package: &str) {
    let required = std::env::var_os("QUICKEATS_BENCH_REQUIRE_REAL_PARTS").is_some_and(|value| value == "1");
    assert!(!required, "{test} needs {part}: apt-get install {package}");
    let _ = writeln!(io::stderr(), "left out: {test}: {part} is not installed (apt-get install {package})");
}

/// The newest PostgreSQL that Debian's packages put here.
fn postgres_programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    programs.filter(|programs| programs.join("initdb").exists()).max()
}

fn start_postgres() -> Part {
    let programs = postgres_programs().unwrap();
    let folder = folder("postgres");
    let data = folder.join("data");
    let initialised = as_nobody(&programs.join("initdb"), &folder)
        .args(["--username=bench", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(initialised.status.success(), "{}", String::from_utf8_lossy(&initialised.stderr));
    // What these tests kill is the service, never the database: it need not wait for the disk.
    let options = "-c fsync=off -c full_page_writes=off -c max_connections=400 -c shared_buffers=32MB";
    let is_ready = |port: u16| {
        let mut asked = Command::new(programs.join("pg_isready"));
        asked.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status().unwrap().success()
    };
    let (port, watchdog) = start(&folder, is_ready, |port| {
        format!(
            "{} -D {} -k {} -h 127.0.0.1 -p {port} {options}",
            programs.join("postgres").display(),
            data.display(),
            folder.display()
        )
    });
    Part { port, _watchdog: Mutex::new(watchdog) }
}

fn start_redis() -> Part {
    let folder = folder("redis");
    let is_ready = |port: u16| TcpStream::connect(("127.0.0.1", port)).is_ok();
    let (port, watchdog) = start(&folder, is_ready, |port| {
        format!(
            "{REDIS} --bind 127.0.0.1 --port {port} --databases {REDIS_DATABASES} --save '' --dir {}",
            folder.display()
        )
    });
    Part { port, _watchdog: Mutex::new(watchdog) }
}

/// Starts a server under a watchdog, and waits until it is ready.
fn start(folder: &Path, is_ready: impl Fn(u16) -> bool, command: impl Fn(u16) -> String) -> (u16, Child) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let log = folder.join("log");
    let script = format!(
        "{} >{log} 2>&1 & server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf {folder}",
        command(port),
        log = log.display(),
        folder = folder.display()
    );
    let watchdog = as_nobody(Path::new("/bin/sh"), folder).args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !is_ready(port) {
        assert!(Instant::now() < deadline, "{}", fs::read_to_string(&log).unwrap_or_default());
        sleep(Duration::from_millis(20));
    }
    (port, watchdog)
}

/// A temporary folder that belongs to whom [`as_nobody`] runs programs as.
fn folder(part: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("quickeats-bench-{part}-{}", uuid::Uuid::new_v4().simple()));
    fs::create_dir(&folder).unwrap();
    if is_root() {
        let owned = Command::new("chown").arg("nobody").arg(&folder).status().unwrap();
        assert!(owned.success());
    }
    folder
}

/// PostgreSQL does not run as root: then everything is run as `nobody`.
fn as_nobody(program: &Path, folder: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(folder).env("LC_ALL", "C");
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

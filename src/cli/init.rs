//! `quickeats-bench init`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

use super::args::init::InitArgs;
use super::{Failure, print, print_exactly, usage};
use crate::init::{Draft, Drawn, LARGEST_DOCUMENT, Wishes, as_name, from_openapi, is_name, skeleton};
use crate::run_result::Exit;

/// What the files are called, if nobody says.
const DEFAULT_NAME: &str = "my-api";

pub(super) fn main(args: &InitArgs) -> Result<Exit, Failure> {
    if let Some(name) = &args.name {
        check_name(name).map_err(usage)?;
    }
    let Drawn { name, draft } = drawn(args).map_err(usage)?;
    if args.out == Path::new("-") {
        print_exactly(&draft.description)?;
        return Ok(Exit::Holds);
    }
    // Here is here: `mine.toml`, not `./mine.toml`.
    let folder = if args.out == Path::new(".") { Path::new("") } else { &*args.out };
    let files = [
        (folder.join(format!("{name}.toml")), &draft.description),
        (folder.join(format!("{name}-race.toml")), &draft.scenario),
    ];
    write(&args.out, &files, args.force).map_err(usage)?;
    let [(description, _), (scenario, _)] = &files;
    print(&format!("{}\n{}\n", description.display(), scenario.display()))?;
    let _ = io::stderr().write_all(next_steps(&draft, description, scenario).as_bytes());
    Ok(Exit::Holds)
}

fn drawn(args: &InitArgs) -> anyhow::Result<Drawn> {
    let name = args.name.as_deref();
    let Some(file) = &args.from_openapi else {
        let model = args.model.ok_or_else(|| anyhow!("nothing says what kind of resource it is: --model"))?;
        let name = name.unwrap_or(DEFAULT_NAME);
        return Ok(Drawn { name: name.to_owned(), draft: skeleton(model, name) });
    };
    let text = document(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let wishes = Wishes { name, resource: args.resource.as_deref(), model: args.model };
    from_openapi(&text, &wishes).with_context(|| file.display().to_string())
}

/// The text of a document: not much more than is read of one.
fn document(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(file)?.take(LARGEST_DOCUMENT as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

fn check_name(name: &str) -> anyhow::Result<()> {
    if is_name(name) {
        return Ok(());
    }
    let help = as_name(name).map_or_else(String::new, |name| format!("\n  = help: `{name}`, say"));
    bail!("`{name}` cannot be its name: that is made of lower-case letters, digits and dashes{help}")
}

/// Writes all of them, or, if one is there that is not to be overwritten, none.
fn write(folder: &Path, files: &[(PathBuf, &String)], is_forced: bool) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    if !is_forced && let Some((there, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        bail!(
            "{} is there already, and nothing was written\n  = help: --force overwrites it; another NAME or --out leaves it alone",
            there.display()
        );
    }
    for (path, text) in files {
        let mut options = OpenOptions::new();
        options.write(true);
        // Between the look and now somebody may have made one: that is not overwritten, either.
        if is_forced {
            options.create(true).truncate(true)
        } else {
            options.create_new(true)
        };
        let file = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
        file.with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

/// What to do with the files.
fn next_steps(draft: &Draft, description: &Path, scenario: &Path) -> String {
    let notes: Vec<&str> = draft.notes.iter().flat_map(|note| [note.as_str(), "\n"]).collect();
    let (description, scenario) = (description.display(), scenario.display());
    format!(
        "{}Next:
  1. Read {description}, and change each line that is not true of your API.
  2. quickeats-bench scenarios check {description} --target URL
     sends each request once, and shows what was read from the answers.
  3. quickeats-bench race --api {description} --target URL
     races all that fits it; with {scenario} before --target, that race alone.
",
        notes.concat()
    )
}

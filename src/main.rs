//! The deployer's binary: all of it is in the library, whose result becomes the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    fis_workshop::main()
}

"""The entry point; everything heavy is imported by the command that needs it, so `tiphys --help` stays quick."""

from services.cli.root import main

if __name__ == "__main__":
    main()

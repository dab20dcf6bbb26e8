"""Proof that the workspace is whole, copies of it, putting one back, and taking people out."""

from pathlib import Path

from creditrisk.commands.terminal import Options, Out, ParserOf, opened, settings_of, user_of


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    parser_of("check", _check, "prove that nothing in the workspace was altered or lost")

    add = parser_of("backup", _backup, "copy the workspace, verified, to a new folder within DIR").add_argument
    add("folder", type=Path, metavar="DIR")

    add = parser_of("restore", _restore, "put a backup in the place of the workspace, which is set aside").add_argument
    add("folder", type=Path, metavar="DIR", help="a folder that `backup` made")

    add = parser_of("erase", _erase, "take a person out: what says who they are goes, what was decided stays").add_argument
    add("applicant", metavar="ID")
    add("--reason", required=True, metavar="TEXT", help="why; kept on record")
    add("--dry-run", action="store_true", help="count only, change nothing")

    add = parser_of("purge", _purge, "show with whom nothing has happened for as long as the settings say").add_argument
    add("--now", action="store_true", help="take them out")


def _check(options: Options, out: Out) -> None:
    from creditrisk import integrity

    with opened(options) as store:
        found = integrity.check(store)
    failed = [part["sentence"] for part in found if not part["passed"]]
    for part in found:
        out.result(part, f"  {'passed' if part['passed'] else 'FAILED'}  {part['sentence']}")
    out.refuse(failed if out.as_json else [])
    out.refused = len(failed)
    said = f"{len(failed)} of {len(found)} checks failed." if failed else f"All {len(found)} checks passed."
    out.summary({"checks": len(found), "failed": len(failed), "passed": not failed}, said)


def _backup(options: Options, out: Out) -> None:
    from creditrisk import integrity

    with opened(options) as store:
        made = integrity.backup(store, options.folder, user=user_of(options, store.settings), progress=out.progress)
    n = integrity.verify(made)
    out.summary({"folder": str(made), "files": n}, f"{n:,} files copied to {made}, each with its digest, and verified.")


def _restore(options: Options, out: Out) -> None:
    from creditrisk import integrity

    settings = settings_of(options)
    aside = integrity.restore(settings, options.folder, user=user_of(options, settings))
    replaced = f" What was there before lies in {aside}." if aside else ""
    out.summary(
        {"data": str(settings.data), "models": str(settings.models), "replaced": aside and str(aside)},
        f"{options.folder} is the workspace in {settings.data} now.{replaced}",
    )


def _erase(options: Options, out: Out) -> None:
    from creditrisk import integrity, privacy

    with opened(options) as store:
        left = privacy.left_behind(store, options.applicant)
        user = user_of(options, store.settings)
        name, gone = privacy.erase(store, options.applicant, user=user, reason=options.reason, dry_run=options.dry_run)
    integrity.wipe(settings_of(options))
    would = "would be" if options.dry_run else "are"
    out.warn(left)
    said = f"{privacy.in_words(gone)} {would} gone; {gone.predictions:,} predictions {'would stay' if options.dry_run else 'stay'}"
    out.summary(
        {"pseudonym": None if options.dry_run else name, "dry_run": options.dry_run, **vars(gone), "left": left},
        f"{said} under a name that says nothing." if options.dry_run else f"{said} as those of {name}.",
    )


def _purge(options: Options, out: Out) -> None:
    from creditrisk import integrity, privacy

    with opened(options) as store:
        found = privacy.due(store)
        gone = privacy.purge(store, user=user_of(options, store.settings), dry_run=not options.now)
        months = store.settings.privacy.retention_months
    integrity.wipe(settings_of(options))
    for row in found.to_dict("records"):
        out.result({"applicant_id": row["applicant_id"], "last_at": row["last_at"].isoformat()})
    out.table(found.head(20))
    would = "are gone" if options.now else "would be gone; `--now` does it"
    said = f"{gone.applicants:,} applicants with {privacy.in_words(gone)} {would}."
    out.summary(
        {"dry_run": not options.now, "retention_months": months, **vars(gone)},
        said if gone.applicants else f"Nobody is due: something happened with everybody in the last {months} months.",
    )

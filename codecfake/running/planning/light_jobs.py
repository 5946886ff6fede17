"""Rules whose jobs need no estimate of their own."""

MINUTES = {  # rules whose jobs take minutes, which were not measured: the rate for the size of their outputs
    **dict.fromkeys(("write_sources", "quality_summary", "generated_summary", "audit", "audit_verdict"), "mb.small"),
    **{"tabulate": "mb.tables", "tabulate_tracing": "mb.small", "tabulate_partial": "mb.small", "report": "mb.report"},
}
NOTHING = (
    "read_captions",
    "list_shards",
    "list_spans",
    "list_folder",
    "check_lists",
    "fetch_hub_model",
    "all",
)  # jobs that cost next to nothing

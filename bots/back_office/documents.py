"""Documents: PDFs read by a layout, with how sure each reading is."""

from __future__ import annotations

from dataclasses import dataclass

from interoffice.bot import LayoutName, bot
from interoffice.context import Context
from interoffice.model.table import Table
from interoffice.model.values import FileValue, Percent


@dataclass(frozen=True, kw_only=True, slots=True)
class Extracted:
    """What stands in the document; the confidence is that of the least sure field, `picture` shows where it stands."""

    rows: Table
    confidence: Percent
    doubts: str
    picture: FileValue


@bot(
    effect="reads",
    outputs={"rows": "columns of layout", "confidence": "percent", "doubts": "text", "picture": "file"},
)
def extract(ctx: Context, *, file: FileValue, layout: LayoutName) -> Extracted:
    """The fields or lines of a PDF by a layout of tables/layouts/: what stands right of a caption, or below it.

    Nothing is guessed. Where several different values stand at a field's caption, the one is taken for which the
    layout's controls hold (`net + vat = total`), if there is exactly one; else the field is missing. The confidence
    of a field is the share of fields with the same evidence that were right on the test corpus (docs/documents.md):
    how its caption was found, how its value reads, check digits, arithmetic. `confidence` is the lowest of them, 0%
    where a required field is missing; `doubts` says which fields are not sure and why; `picture` is the page with a
    frame around every field: green is sure, orange is not, red could not be read; sensitive columns are painted over.

    A PDF from outside is read in a child process that is bounded in memory and time and reaches no network.

    Error codes: file_unreadable (damaged, or with a password), no_text (a scan), file_refused (too large, too many
    pages, or it breaks the reader), file_missing.

    Inputs:
        file: the PDF
        layout: a file of tables/layouts/

    Example:
        - id: invoice
          bot: documents.extract
          with:
            file: ${{ document.file }}
            layout: supplier_invoice
    """
    read = ctx.tables.document(file, layout)
    types = ctx.tables.contract(layout).column_types
    rows = ({name: field.value for name, field in row.items()} for row in read.rows)
    ctx.log.info("document_read", layout=layout, rows=len(read.rows), confidence=str(read.confidence))
    return Extracted(
        rows=Table.from_rows(types, rows),
        confidence=read.confidence,
        doubts=read.doubts,
        picture=ctx.tables.page_picture(file, read, layout),
    )

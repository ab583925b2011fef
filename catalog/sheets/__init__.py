"""The catalogue as CSV files and Excel workbooks that a manager edits in a spreadsheet: docs/sheets.md.

- Reading: ``reading`` (``delimited``, ``xlsx``) makes rows of texts out of bytes.
- Meaning: ``headings``, ``columns`` and ``kinds``, with ``words``, ``numbers``, ``moments`` and ``damage``.
- Matching: ``matching`` finds the record of each row, ``checking`` what the row changes.
- Writing: ``saving``, in one short transaction.

``exporting`` is the way out, ``jobs`` the way in.
"""

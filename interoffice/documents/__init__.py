"""Documents read by a layout: where its words stand, which of them a field means, and how sure that is.

    pages.py        a PDF as words with their places, and as a picture; runs in the bounded child process
    finding.py      a field's captions, and what stands right of them or below
    reading.py      a document by its layout: values, doubts, confidence
    confidence.py   how often such evidence was right on the test corpus (confidence.json)
"""

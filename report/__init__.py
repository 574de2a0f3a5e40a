"""The report: what a recording shows, for a person to read.

* `view`: what a report consists of, as plain data; start here.
* `parts`: pure functions that make a section from results.
* `renderers`: a view as HTML or as Markdown.
* `words`: numbers, places of code and text of others, as everything that people read says them.
"""

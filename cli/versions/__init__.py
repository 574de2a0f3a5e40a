"""Two versions of a program side by side, as `diff` shows two recordings.

* `compared`: what is compared, and whether it is better or worse.
* `text`, `markdown`: how that is shown in a terminal and in a pull request.
"""

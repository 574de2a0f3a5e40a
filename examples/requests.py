"""Requests, some of which fail and keep their error: the error holds its traceback, the traceback
the frame, the frame's local variable the error again.

A mark stands at the start of every hundredth request. The stub makes the program run unrecorded.
"""

try:
    from gcreplay_capture import mark
except ImportError:

    def mark(label):
        """Without a recording there is nothing to mark."""


def parse(text):
    fields = dict(part.split("=") for part in text.split("&"))
    return {key: int(value) for key, value in fields.items()}


def handle(number):
    """Answer one request; every fifth cannot be parsed."""
    text = f"id={number}&size={number % 9}" if number % 5 else f"id={number}&size=large"
    try:
        return parse(text)
    except ValueError as error:
        failure = error  # outlives the except block: here the cycle is closed
    return {"error": str(failure)}


def main():
    failures = 0
    for number in range(3000):
        if number % 100 == 0:
            mark(f"request {number}")
        failures += "error" in handle(number)
    mark("done")
    print(f"3000 requests, {failures} failures")


if __name__ == "__main__":
    main()

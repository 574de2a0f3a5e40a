"""What all tests need of the process that they run in."""

import signal

# A shell starts what is sent to the background with these ignored, and programs inherit that: those
# that tests interrupt would never end.
for number, usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

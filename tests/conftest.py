"""What all tests need of the process that they run in."""

import signal

# A shell starts what is sent to the background with Ctrl-C ignored, and programs inherit that:
# those that tests interrupt would never end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

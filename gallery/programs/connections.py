"""Connections that a finalizer closes: each is in a cycle with its cursor, so it is the collector
that runs the finalizer, and how many are open at once depends on when.
"""


class Connection:
    open = 0
    most = 0

    def __init__(self, number):
        self.number = number
        self.cursor = Cursor(self)
        Connection.open += 1
        Connection.most = max(Connection.most, Connection.open)

    def close(self):
        if self.number is not None:
            self.number = None
            Connection.open -= 1

    def __del__(self):
        self.close()


class Cursor:
    def __init__(self, connection):
        self.connection = connection
        self.rows = []

    def ask(self, key):
        self.rows = [(key, i) for i in range(5)]
        return len(self.rows)


def work(number):
    connection = Connection(number)
    return connection.cursor.ask(number)


def main():
    rows = sum(work(number) for number in range(20_000))
    print(f"20000 connections, {rows} rows, at most {Connection.most} open at once")


if __name__ == "__main__":
    main()

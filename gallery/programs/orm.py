"""A service over SQLAlchemy's ORM: each request writes some orders and reads others.

The library and the mapped classes stay for the whole run; what a request makes is soon gone. A
mark stands where start-up is done and at each request. The stub makes it run unrecorded.
"""

import sqlalchemy as sa
from sqlalchemy import orm

try:
    from gcreplay_capture import mark
except ImportError:

    def mark(label):
        """Without a recording there is nothing to mark."""


class Base(orm.DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customer"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    orders: orm.Mapped[list["Order"]] = orm.relationship(back_populates="customer")


class Order(Base):
    __tablename__ = "order"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    customer_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("customer.id"))
    pieces: orm.Mapped[int]
    customer: orm.Mapped[Customer] = orm.relationship(back_populates="orders")


def write(engine, number):
    with orm.Session(engine) as session:
        for i in range(8):
            customer = Customer(id=number * 100 + i, name=f"customer {number} {i}")
            for j in range(4):
                customer.orders.append(Order(pieces=(i * j + number) % 17))
            session.add(customer)
        session.commit()


def read(engine, number):
    with orm.Session(engine) as session:
        recent = sa.select(Customer).where(Customer.id >= max(0, number - 2) * 100)
        customers = session.scalars(recent.options(orm.selectinload(Customer.orders)))
        return sum(order.pieces for customer in customers for order in customer.orders)


def main():
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    Base.metadata.create_all(engine)
    mark("ready")
    pieces = 0
    for number in range(80):
        mark(f"request {number}")
        write(engine, number)
        pieces += read(engine, number)
    print(f"80 requests, {pieces} pieces")


if __name__ == "__main__":
    main()

"""An ORM: orders with their items out of an in-memory database, a session for each request."""

from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str]
    items: Mapped[list["Item"]] = relationship(back_populates="order")


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    note: Mapped[str]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    order: Mapped[Order] = relationship(back_populates="items")


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    for n in range(100):
        items = [Item(name=f"item {i} of {n}", note="fragile " * 10 * i) for i in range(20)]
        session.add(Order(customer=f"customer {n}", items=items))
    session.commit()

seen = 0
for request in range(60):
    session = Session(engine)
    for order in session.scalars(select(Order).where(Order.id % 2 == request % 2)):
        seen += sum(len(item.note) + len(item.order.customer) for item in order.items)
    session.close()
print(seen)

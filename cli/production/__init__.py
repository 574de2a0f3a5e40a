"""What a production log says of its collector, beside a recording."""

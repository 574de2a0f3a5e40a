"""What people see: figures as text, JSON, Markdown or CSV, words for them, and signs of life."""

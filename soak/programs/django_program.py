"""Requests through URLs, views, templates, forms and a database in memory."""

import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="none",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    LOGGING_CONFIG=None,
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.template import engines  # noqa: E402
from django.test import Client  # noqa: E402

PAGE = engines["django"].from_string("{% for u in users %}<p>{{ u.username }}</p>{% endfor %}")


def users(request):
    if request.method == "POST":
        User.objects.create_user(request.POST["name"], password="secret")
    return HttpResponse(PAGE.render({"users": User.objects.order_by("id")[:20]}))


urlpatterns = [path("users/", users)]

call_command("migrate", verbosity=0)
client = Client()
size = 0
for i in range(150):
    size += len(client.post("/users/", {"name": f"user{i}"}).content)
    size += len(client.get("/users/").content)
assert client.get("/nothing/").status_code == 404
print(size, User.objects.count())

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import modelform_factory
from django.shortcuts import get_object_or_404, redirect, render

from .models import Profile

ProfileForm = modelform_factory(Profile, fields=["about", "avatar"])


def profile_detail(request, username):
    profile = get_object_or_404(Profile.objects.select_related("user"), user__username=username)
    return render(request, "profiles/detail.html", {"profile": profile})


@login_required
def profile_edit(request):
    form = ProfileForm(request.POST or None, request.FILES or None, instance=request.user.profile)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your profile is saved.")
        return redirect(request.user.profile)
    return render(request, "profiles/edit.html", {"form": form})

"""placeholder until merge"""

from stackwise.project.model import Project

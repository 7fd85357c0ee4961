"""Components for a Pulumi program of a team's own: its image and its service, which follow the configured stage."""

from stacks.components.multi_platform_image import MultiPlatformImage, MultiPlatformImageArgs
from stacks.components.staged_ecs_service import StagedEcsService, StagedEcsServiceArgs

__all__ = ["MultiPlatformImage", "MultiPlatformImageArgs", "StagedEcsService", "StagedEcsServiceArgs"]

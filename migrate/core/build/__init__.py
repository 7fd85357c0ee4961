"""What an image is built from: Dockerfile, context, builder, and whether a build could be made as asked."""

"""Process definitions: from the bytes of a diagram and its forms to an immutable version in force."""

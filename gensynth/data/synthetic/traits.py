"""What makes one drawn person, and one picture of them, different from another.

Each table names a quantity with its mean and its standard deviation over people or pictures.
Lengths are in face units: the square around the face runs from -1 to 1 in x and y (y downwards).
"""

from __future__ import annotations

IDENTITY: dict[str, tuple[float, float]] = {
    "head_width": (0.76, 0.045),
    "head_height": (1.02, 0.04),
    "head_y": (-0.04, 0.02),
    "jaw": (0.26, 0.09),
    "hairline": (-0.78, 0.07),
    "hair_curve": (0.45, 0.3),
    "hair_part": (0.0, 0.25),
    "hair_volume": (0.1, 0.05),
    "hair_length": (0.0, 1.0),
    "fringe": (0.0, 1.0),
    "eye_x": (0.335, 0.02),
    "eye_y": (-0.24, 0.025),
    "eye_width": (0.175, 0.014),
    "eye_upper": (0.085, 0.015),
    "eye_lower": (0.052, 0.009),
    "eye_tilt": (-0.01, 0.02),
    "iris": (0.068, 0.005),
    "iris_tone": (0.13, 0.06),
    "brow_y": (-0.2, 0.02),
    "brow_width": (0.21, 0.02),
    "brow_arch": (0.045, 0.02),
    "brow_slope": (0.0, 0.018),
    "brow_thick": (0.045, 0.011),
    "brow_dark": (0.75, 0.14),
    "nose_length": (0.43, 0.035),
    "nose_width": (0.145, 0.02),
    "nose_dark": (0.2, 0.06),
    "mouth_y": (0.5, 0.03),
    "mouth_width": (0.3, 0.026),
    "mouth_curve": (0.0, 0.012),
    "lip_upper": (0.05, 0.014),
    "lip_lower": (0.07, 0.016),
    "lip_dark": (0.33, 0.09),
    "cheek": (0.1, 0.06),
    "folds": (0.12, 0.08),
    "eye_bags": (0.1, 0.07),
    "skin": (0.63, 0.09),
    "hair": (0.24, 0.16),
    "backdrop": (0.45, 0.16),
    "beard": (0.0, 1.0),
    "glasses": (0.0, 1.0),
    "freckles": (0.0, 1.0),
}
"""Traits of a person. Zero-mean, unit-spread ones switch something on beyond a threshold."""

PICTURE: dict[str, tuple[float, float]] = {
    "shift_x": (0.0, 0.08),
    "shift_y": (0.0, 0.08),
    "scale": (1.0, 0.05),
    "roll": (0.0, 0.09),
    "yaw": (0.0, 0.25),
    "pitch": (0.0, 0.2),
    "gaze_x": (0.0, 0.25),
    "gaze_y": (0.0, 0.2),
    "light_x": (0.0, 0.14),
    "light_y": (-0.04, 0.1),
    "exposure": (1.03, 0.08),
    "contrast": (1.2, 0.12),
}
"""Circumstances of a picture: alignment and pose of the head, gaze, light, exposure."""

TURNS = ("yaw", "pitch", "roll")
"""How the head is held in a picture; 0 looks straight into the camera."""

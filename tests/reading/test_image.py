"""Every kind of picture becomes one upright gray array, or one clear error."""

import io
import logging
import os
import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from inkdigits.errors import ArgumentError, InkdigitsError, PictureError
from inkdigits.reading.image import load_gray, load_rgb, median_gray
from inkdigits.reading.sources import DEFAULT_MAX_PIXELS, find_pictures, is_picture_name

WHITE = (255, 255, 255)
BOARD = (45, 90, 65)
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")


def drawn(ink=(0, 0, 0), ground=WHITE, size=(120, 160), thickness=6) -> np.ndarray:
    """Return an RGB drawing of a 7, not symmetric in any way, smooth at its edges."""
    height, width = size
    ink_mask = np.zeros(size, np.uint8)
    corners = np.array([[0.3, 0.2], [0.7, 0.2], [0.45, 0.8]]) * (width, height)
    cv2.polylines(ink_mask, [corners.astype(np.int32)], False, 255, thickness, cv2.LINE_AA)
    share = ink_mask[..., None] / 255
    return np.rint(np.array(ground) * (1 - share) + np.array(ink) * share).astype(np.uint8)


def encoded(image, file_format="PNG", **options) -> bytes:
    """Return the bytes of a file in the given format."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def contrast(gray) -> int:
    """Return the distance between the darkest and the lightest pixel."""
    return int(gray.max()) - int(gray.min())


@pytest.fixture
def png(tmp_path) -> Path:
    """The drawing as a PNG file."""
    path = tmp_path / "seven.png"
    path.write_bytes(encoded(drawn()))
    return path


# ---- every source -------------------------------------------------------------------------------


def test_all_sources_give_the_same_array(png):
    """A path, a string, bytes, an open file, a PIL image and an array of one picture read alike."""
    content = png.read_bytes()
    expected = load_gray(drawn())
    with png.open("rb") as file, Image.open(png) as image:
        for source in (png, str(png), content, bytearray(content), io.BytesIO(content), file, image):
            gray = load_gray(source)
            assert np.array_equal(gray, expected)
            assert gray.dtype == np.uint8
            assert gray.flags.c_contiguous


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (4, 6), (50, 81)])
@pytest.mark.parametrize("low", [0, 128, 254])
def test_median_of_gray_levels_is_numpy_s(size, low):
    """Of an even number of pixels it is halfway between the two in the middle."""
    gray = np.random.default_rng(3).integers(low, 256, size, dtype=np.uint8)
    assert median_gray(gray) == np.median(gray)
    assert median_gray(gray[:, ::2]) == np.median(gray[:, ::2])


def test_no_pixels_have_the_median_of_paper():
    """A line may be empty."""
    assert median_gray(np.zeros((32, 0), np.uint8)) == 255


def test_gray_pixels_pass_unchanged():
    """A gray 8-bit picture comes back value by value."""
    ramp = np.arange(256, dtype=np.uint8).reshape(8, 32)
    assert np.array_equal(load_gray(ramp), ramp)
    assert np.array_equal(load_gray(encoded(ramp)), ramp)
    assert np.array_equal(load_gray(np.dstack([ramp] * 3)), ramp)


def test_result_shares_no_memory():
    """Writing into the answer leaves the given array as it was, and the other way round."""
    array = np.full((4, 5), 9, np.uint8)
    gray = load_gray(array)
    assert not np.shares_memory(gray, array)
    assert gray.flags.writeable


def test_views_are_read():
    """Arrays that are cut, mirrored or turned views need no copy by the caller."""
    rgb = drawn()
    assert np.array_equal(load_gray(rgb[::-1, ::2]), load_gray(np.ascontiguousarray(rgb[::-1, ::2])))


def test_open_file_is_read_from_its_start_and_left_open():
    """A buffer just written to can be handed over without rewinding, and used again."""
    buffer = io.BytesIO()
    Image.fromarray(drawn()).save(buffer, "PNG")
    assert load_gray(buffer).shape == (120, 160)
    assert load_gray(buffer).shape == (120, 160)


def test_pipe_is_read():
    """A stream that can't go back to its start is read, in whatever pieces it comes."""
    reading, writing = os.pipe()
    with open(writing, "wb") as sink, open(reading, "rb", buffering=0) as source:  # noqa: PTH123
        sink.write(encoded(drawn()))
        sink.close()
        assert load_gray(source).shape == (120, 160)


@pytest.mark.parametrize("file_format", FORMATS)
def test_accepted_formats(file_format):
    """PNG, JPEG, TIFF, BMP, WebP and GIF are read, dark ink on a light ground."""
    gray = load_gray(encoded(drawn(), file_format))
    assert gray.shape == (120, 160)
    assert np.abs(gray.astype(int) - load_gray(drawn())).mean() < 3


@pytest.mark.parametrize("file_format", ["PPM", "TGA", "ICO"])
def test_other_formats_are_refused(file_format):
    """What Pillow could open beyond the accepted formats is not even tried."""
    with pytest.raises(PictureError, match=r"not a picture that inkdigits can open.*PNG, JPEG"):
        load_gray(encoded(drawn(), file_format))


def test_rotation_comes_after_what_the_camera_noted():
    """Degrees clockwise, of the gray to read and of the color to draw on."""
    upright = load_gray(drawn())
    exif = Image.Exif()
    exif[0x0112] = 3
    upside_down = encoded(np.ascontiguousarray(drawn()[::-1, ::-1]), exif=exif)
    for picture in (drawn(), upside_down):
        assert np.array_equal(load_gray(picture, rotate=90), np.rot90(upright, -1))
        assert np.array_equal(load_rgb(picture, rotate=180)[..., 0], np.rot90(upright, 2))
        assert np.array_equal(load_gray(picture, rotate=270), np.rot90(upright))


@pytest.mark.parametrize("rotate", [45, -90, 360, "90", None])
def test_other_rotations_are_refused(rotate):
    """The accepted ones are named."""
    with pytest.raises(ArgumentError, match="0, 90, 180 or 270"):
        load_gray(drawn(), rotate=rotate)


def test_every_byte_may_be_a_line_break():
    """A WebP file is known also where its length happens to contain the byte of a line break."""
    contents = (encoded(drawn(), "WEBP", xmp=bytes(n)) for n in range(2, 300, 2))
    content = next(content for content in contents if b"\n" in content[4:8])
    assert load_gray(content).shape == (120, 160)


def test_content_decides_not_the_name(tmp_path):
    """A JPEG file that is called .png is read."""
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(drawn(), "JPEG"))
    assert load_gray(path).shape == (120, 160)


# ---- depths and colors --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[False, True]]), [[0, 255]]),
        (np.array([[0, 257, 65535]], np.uint16), [[0, 1, 255]]),
        (np.array([[0, 257, 65535]], ">u2"), [[0, 1, 255]]),
        (np.array([[128 * 257 - 100, 128 * 257 + 100]], np.uint16), [[128, 128]]),
        (np.array([[0, 0.5, 1]], np.float64), [[0, 128, 255]]),
        (np.array([[0, 0.25, 1]], np.float16), [[0, 64, 255]]),
        (np.full((1, 2, 3), 65535, np.uint16), [[255, 255]]),
        (np.full((1, 2, 3), 1.0, np.float32), [[255, 255]]),
        (np.ones((1, 2, 4), bool), [[255, 255]]),
    ],
)
def test_array_depths_are_scaled(array, expected):
    """bool, 16-bit and float arrays use the whole range from black to white."""
    assert load_gray(array).tolist() == expected


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_gray_files(file_format):
    """16-bit gray is scaled, not cut off at 255."""
    wide = np.arange(256, dtype=np.uint16).reshape(8, 32) * 257
    assert np.array_equal(load_gray(encoded(wide, file_format)), wide // 257)


def test_big_endian_16_bit_tiff():
    """The byte order of a TIFF from another machine is respected."""
    values = np.array([[0, 257, 65535]], ">u2")
    header = b"MM\0*\0\0\0\x08"
    tags = [
        (256, 3),
        (257, 1),
        (258, 16),
        (259, 1),
        (262, 1),
        (273, 8 + 2 + 12 * 9 + 4),
        (277, 1),
        (278, 1),
        (279, 6),
    ]
    directory = struct.pack(">H", 9) + b"".join(struct.pack(">HHIHH", tag, 3, 1, v, 0) for tag, v in tags)
    assert load_gray(header + directory + bytes(4) + values.tobytes()).tolist() == [[0, 1, 255]]


@pytest.mark.parametrize("white", [255, 65535])
def test_32_bit_integer_gray(white):
    """32-bit integers are taken as 8 or as 16 bits deep, whichever holds them."""
    values = np.array([[0, white // 5, white]], np.int32)
    assert load_gray(Image.fromarray(values)).tolist() == [[0, 51, 255]]
    assert load_gray(encoded(values, "TIFF")).tolist() == [[0, 51, 255]]


@pytest.mark.parametrize("white", [1, 255, 65535])
def test_float_gray(white):
    """Float files with white at 1, 255 or 65535 look alike."""
    values = np.array([[0, 0.2, 1]], np.float32) * white
    assert load_gray(encoded(values, "TIFF")).tolist() == [[0, 51, 255]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1, 70_000])
def test_gray_without_a_scale_is_refused(bad):
    """32-bit gray that fits no customary scale is refused with its range."""
    with pytest.raises(PictureError, match=r"32-bit gray values from .* to "):
        load_gray(Image.fromarray(np.array([[0, bad]], np.float32)))


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV"])
def test_pil_modes(mode):
    """Whatever mode a PIL image has, the ink stays dark on a light page."""
    image = Image.fromarray(drawn())
    image = image.convert("LA").convert("PA") if mode == "PA" else image.convert(mode)
    gray = load_gray(image)
    assert gray[5, 5] > 245
    assert gray[24, 80] < 10


def test_cmyk_jpeg():
    """A JPEG for print, whose inks are stored inverted, is dark on light."""
    gray = load_gray(encoded(Image.fromarray(drawn()).convert("CMYK"), "JPEG"))
    assert gray[5, 5] > 245
    assert gray[24, 80] < 10


def test_ycck_jpeg():
    """Luminance, chroma and black (YCCK) are told from CMYK by the Adobe marker."""
    luminance = np.full((16, 16), 255, np.uint8)  # inverted by Pillow: no cyan, magenta, yellow
    luminance[:, 8:] = 0
    half, none = np.full_like(luminance, 127), np.zeros_like(luminance)
    image = Image.merge("CMYK", [Image.fromarray(band) for band in (luminance, half, half, none)])
    content = bytearray(encoded(image, "JPEG", quality=100, subsampling=0))
    marker = content.find(b"Adobe")
    content[marker + 11] = 2  # the color transform: YCCK
    gray = load_gray(bytes(content))
    assert gray[8, 2] > 245
    assert gray[8, 13] < 10


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
@pytest.mark.parametrize("mode", ["L", "P", "RGB", "CMYK"])
def test_tiff_kinds(mode, compression):
    """A TIFF reads as Pillow opens it, whatever its colors and compression."""
    if mode == "P" and compression == "jpeg":
        pytest.skip("JPEG has no palettes")
    content = encoded(Image.fromarray(drawn()).convert(mode), "TIFF", compression=compression)
    with Image.open(io.BytesIO(content)) as image:
        assert np.array_equal(load_gray(content), load_gray(image))


def test_fax_tiff():
    """A black and white scan compressed as fax is read."""
    image = Image.fromarray(drawn()).convert("1", dither=Image.Dither.NONE)
    gray = load_gray(encoded(image, "TIFF", compression="group4"))
    assert set(np.unique(gray)) == {0, 255}
    assert gray[5, 5] == 255


# ---- upright ------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation(file_format, orientation):
    """All eight orientations that a camera may note are undone, in every format that notes them."""
    stored = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(np.ascontiguousarray(stored(drawn())), file_format, exif=exif)
    expected = load_gray(drawn()).astype(int)
    gray = load_gray(content)
    assert gray.shape == expected.shape
    assert gray.flags.c_contiguous
    assert np.abs(gray - expected).mean() < 3
    with Image.open(io.BytesIO(content)) as image:
        assert np.array_equal(load_gray(image), gray)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_color_is_upright_too(orientation):
    """The picture to draw on has the same height, width and gray levels as the one that is read."""
    gray = drawn()[..., 0]
    colored = np.stack([gray, gray, gray // 2], axis=2)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(colored, "PNG", exif=exif)
    rgb = load_rgb(content)
    assert rgb.shape == (*load_gray(content).shape, 3)
    assert rgb.flags.c_contiguous
    assert np.array_equal(rgb[..., 0] // 2, rgb[..., 2])
    assert np.array_equal(rgb[..., 0], load_gray(encoded(gray, "PNG", exif=exif)))


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (4, 5, 4)])
def test_any_array_becomes_rgb(shape):
    """Gray, color and transparent pictures can all be drawn on."""
    assert load_rgb(np.full(shape, 200, np.uint8)).shape == (4, 5, 3)


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_unknown_orientation_is_upright(orientation):
    """An orientation that Exif does not define changes nothing."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert load_gray(encoded(drawn(), "PNG", exif=exif)).shape == (120, 160)


def test_damaged_exif_does_not_hide_the_picture(caplog):
    """A whole picture with damaged EXIF data is read, and the log says that it may lie on its side."""
    content = encoded(drawn(), "PNG", exif=b"Exif\0\0II*\0 nonsense, not a directory")
    with caplog.at_level(logging.WARNING, "inkdigits"), warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow warns or raises, by version
        assert load_gray(content).shape == (120, 160)
    assert "damaged EXIF" in caplog.text


# ---- transparency -------------------------------------------------------------------------------


def on_nothing(ink, hidden=(0, 0, 0)) -> np.ndarray:
    """Return an RGBA drawing in which only alpha tells ink from the hidden color behind it."""
    alpha = 255 - drawn()[..., 0]
    rgba = np.empty((*alpha.shape, 4), np.uint8)
    rgba[...] = (*hidden, 0)
    rgba[alpha > 0, :3] = ink
    rgba[..., 3] = alpha
    return rgba


@pytest.mark.parametrize("hidden", [(0, 0, 0), WHITE, (90, 200, 10)])
def test_dark_ink_on_nothing_gets_a_white_page(hidden):
    """Black ink on a transparent canvas, black too or not, reads as black on white."""
    assert np.array_equal(load_gray(on_nothing((0, 0, 0), hidden)), load_gray(drawn()))


@pytest.mark.parametrize("hidden", [(0, 0, 0), WHITE])
def test_light_ink_on_nothing_gets_a_black_page(hidden):
    """White ink on a transparent canvas reads as white on black."""
    assert np.array_equal(load_gray(on_nothing(WHITE, hidden)), 255 - load_gray(drawn()))


@pytest.mark.parametrize(
    ("ink", "page"), [((255, 0, 0), 255), ((0, 0, 255), 255), ((0, 160, 0), 255), ((255, 230, 0), 0)]
)
def test_colored_ink_on_nothing_is_seen(ink, page):
    """Ink of any color on a transparent canvas gets the page that it stands out from."""
    gray = load_gray(on_nothing(ink))
    assert gray[5, 5] == page
    assert contrast(gray) > 140


def test_inks_of_two_tones_on_nothing_are_no_page():
    """Black and red strokes on a transparent canvas still get a white page."""
    rgba = on_nothing((0, 0, 0))
    rgba[60:, :, 0] = 255
    gray = load_gray(rgba)
    assert gray[5, 5] == 255
    assert gray[24, 80] < 10


def test_ink_that_fills_its_crop_is_seen():
    """A canvas cut tightly around a thick stroke is not taken for a page."""
    rgba = np.zeros((60, 30, 4), np.uint8)
    rgba[2:58, 2:28, 3] = 255
    gray = load_gray(rgba)
    assert gray[0, 0] == 255
    assert gray[30, 15] == 0


@pytest.mark.parametrize(("ink", "page"), [((0, 0, 0), WHITE), (WHITE, (0, 0, 0))])
def test_transparent_margin_takes_the_tone_of_the_page(ink, page):
    """A page with transparent corners keeps its tone to the edge."""
    rgba = np.dstack([drawn(ink, page), np.full((120, 160), 255, np.uint8)])
    rgba[:10, :10] = (128, 128, 128, 0)
    gray = load_gray(rgba)
    assert np.array_equal(gray[10:], load_gray(drawn(ink, page))[10:])
    assert np.all(gray[:10, :10] == page[0])


def test_opaque_alpha_changes_nothing():
    """An alpha channel that is full everywhere is as good as none."""
    red = drawn((220, 20, 30))
    rgba = np.dstack([red, np.full((120, 160), 255, np.uint8)])
    assert np.array_equal(load_gray(rgba), load_gray(red))


def test_fully_transparent_picture_is_a_blank_page():
    """A canvas that nothing was drawn on is white, whatever color hides in it."""
    assert np.all(load_gray(np.full((4, 5, 4), (9, 200, 30, 0), np.uint8)) == 255)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_transparent_files(file_format):
    """RGBA files are laid on white under dark ink."""
    gray = load_gray(encoded(on_nothing((0, 0, 0)), file_format))
    assert gray[5, 5] == 255
    assert gray[24, 80] < 10


@pytest.mark.parametrize("file_format", ["PNG", "GIF"])
def test_palette_with_transparency(file_format):
    """A palette color marked as transparent takes no part."""
    image = Image.fromarray((drawn()[..., 0] > 128).astype(np.uint8))
    image.putpalette([0, 0, 0, 0, 0, 0])  # ink and ground are both black, but the ground is transparent
    gray = load_gray(encoded(image, file_format, transparency=1))
    assert gray[5, 5] == 255
    assert gray[24, 80] == 0


def test_transparent_color_of_rgb_and_gray_png():
    """The one transparent color that a PNG without alpha may name is honored."""
    black = np.zeros((8, 8, 3), np.uint8)
    black[:, 4:] = (1, 1, 1)
    assert load_gray(encoded(black, transparency=(1, 1, 1)))[0, 7] == 255
    assert load_gray(encoded(black[..., 0], transparency=1))[0, 7] == 255


# ---- colored ink --------------------------------------------------------------------------------


INKS = {
    "red on white": ((220, 20, 30), WHITE, -1),
    "blue on white": ((30, 40, 160), WHITE, -1),
    "green on white": ((0, 140, 60), WHITE, -1),
    "light green on white": ((80, 200, 80), WHITE, -1),
    "yellow on white": ((255, 230, 0), WHITE, -1),
    "orange on white": ((255, 150, 0), WHITE, -1),
    "blue on a yellow note": ((30, 40, 140), (250, 230, 120), -1),
    "white chalk": ((235, 235, 230), BOARD, 1),
    "yellow chalk": ((240, 225, 120), BOARD, 1),
    "red chalk": ((225, 90, 100), BOARD, 1),
    "red on green of the same luminance": ((200, 60, 60), (60, 130, 60), 1),
}


@pytest.mark.parametrize("quality", [None, 50], ids=["drawn", "jpeg"])
@pytest.mark.parametrize("name", INKS)
def test_colored_ink_keeps_its_contrast(name, quality):
    """Ink of every color stands out by 100 levels, darker or lighter than its ground as to the eye."""
    ink, ground, sign = INKS[name]
    rgb = drawn(ink, ground)
    gray = load_gray(encoded(rgb, "JPEG", quality=quality) if quality else rgb).astype(int)
    assert (gray[24, 80] - gray[5, 5]) * sign > 100


def test_colored_ink_on_a_sheet_on_a_dark_table():
    """The edges and corners of a sheet are no ink: yellow pen on it is still found."""
    photo = np.full((900, 1200, 3), (60, 40, 30), np.uint8)
    photo[100:800, 150:1050] = drawn((255, 225, 0), (250, 250, 245), (700, 900), 14)
    turn = cv2.getRotationMatrix2D((600, 450), 12, 1)
    photo = cv2.warpAffine(photo, turn, (1200, 900), borderValue=(60, 40, 30))
    gray = load_gray(photo)[300:600, 400:800]
    assert contrast(gray) > 150


def test_small_yellow_digit_on_a_large_page():
    """One digit that covers a thousandth of the page decides for it."""
    page = np.full((900, 1200, 3), 255, np.uint8)
    page[400:480, 500:580] = drawn((255, 225, 0), WHITE, (80, 80), 7)
    assert contrast(load_gray(page)) > 200


def test_dark_ink_on_a_marked_line_keeps_its_luminance():
    """Black digits on yellow marker stay clearly darker than the marker."""
    marked = drawn((20, 20, 20), (255, 255, 60))
    page = np.full((500, 640, 3), 255, np.uint8)
    page[100:220, 100:260] = marked
    page[300:380, :] = (255, 255, 60)
    gray = load_gray(page).astype(int)
    assert gray[110, 110] - gray[124, 180] > 200
    assert gray[110, 110] > 230


def test_gray_jpeg_takes_no_chroma():
    """A noisy gray photo saved in color is its luminance, free of the noise in its colors."""
    noise = np.random.default_rng(5).normal(0, 12, (240, 320, 3))
    photo = np.clip(drawn((90, 90, 90), (170, 170, 170), (240, 320)) + noise, 0, 255).astype(np.uint8)
    content = encoded(photo, "JPEG", quality=40)
    with Image.open(io.BytesIO(content)) as image:
        assert np.array_equal(load_gray(content), cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2GRAY))


@pytest.mark.parametrize(("size", "strength"), [((40, 50), 6), ((800, 1000), 25)])
def test_blank_noise_is_luminance(size, strength):
    """Color noise on a blank page, faint in a small picture or strong in a large one, is no ink."""
    noise = np.random.default_rng(6).integers(-strength, strength + 1, (*size, 3))
    blank = (200 + noise * (1, 1, 2)).astype(np.uint8)
    assert np.array_equal(load_gray(blank), cv2.cvtColor(blank, cv2.COLOR_RGB2GRAY))


def test_yellow_ink_on_a_long_strip():
    """A line cut from a page, far wider than high, is judged like the page."""
    strip = np.full((40, 1200, 3), 255, np.uint8)
    for left in range(100, 1100, 100):
        strip[:, left : left + 40] = drawn((255, 225, 0), WHITE, (40, 40), 4)
    assert contrast(load_gray(strip)) > 200


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 3000), (3000, 3), (28, 28), (257, 300)])
def test_any_size_and_shape(shape):
    """A single pixel and a long strip are pictures too."""
    rgb = np.random.default_rng(7).integers(0, 256, (*shape, 3), np.uint8)
    assert load_gray(rgb).shape == shape
    assert load_gray(np.dstack([rgb, rgb[..., 0]])).shape == shape


# ---- frames -------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["GIF", "TIFF", "WEBP", "PNG"])
def test_first_frame_is_read_and_said(tmp_path, caplog, file_format):
    """Of an animation or a document of pages the first is read; the log names file and number."""
    frames = [Image.fromarray(drawn((0, 0, 0), (ground,) * 3)) for ground in (255, 200, 150)]
    path = tmp_path / f"pages.{file_format.lower()}"
    frames[0].save(path, file_format, save_all=True, append_images=frames[1:])
    gray = load_gray(path)
    assert gray[5, 5] > 250
    assert "pages" in caplog.text
    assert "3 frames" in caplog.text


def test_single_frame_is_not_mentioned(caplog):
    """A picture with one frame is read silently."""
    for file_format in FORMATS:
        load_gray(encoded(drawn(), file_format))
    assert not caplog.records


def test_pil_image_is_read_at_its_frame(caplog):
    """Whoever opens a document with Pillow chooses the page."""
    frames = [Image.fromarray(np.full((4, 5), tone, np.uint8)) for tone in (255, 80)]
    content = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(content)) as image:
        image.seek(1)
        assert np.all(load_gray(image) == 80)
    assert not caplog.records


# ---- limits -------------------------------------------------------------------------------------


def png_of_zeros(side: int) -> bytes:
    """Return a whole black and white PNG file of side x side pixels."""
    packer = zlib.compressobj(1)
    rows = bytes(100 * (1 + side // 8))
    data = b"".join(packer.compress(rows) for _ in range(side // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def test_bomb_is_refused_before_decoding():
    """A PNG of 40,000 x 40,000 pixels in less than a megabyte is refused in little memory."""
    resource = pytest.importorskip("resource")
    bomb = png_of_zeros(40_000)
    assert len(bomb) < 2**20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PictureError, match=r"40000 x 40000 = 1,600,000,000 pixels.*100,000,000"):
        load_gray(bomb)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


@pytest.mark.parametrize("file_format", FORMATS)
def test_limit_holds_for_every_format(file_format):
    """Each format's size is known before decoding, and the message names both ways to raise the limit."""
    content = encoded(drawn(), file_format)
    with pytest.raises(
        PictureError, match=r"160 x 120 = 19,200 pixels, .* 19,199\..*--max-pixels.*max_pixels="
    ):
        load_gray(content, max_pixels=19_199)
    assert load_gray(content, max_pixels=19_200).shape == (120, 160)


def test_limit_holds_for_arrays_and_pil_images():
    """What is decoded already is measured by the same limit."""
    for picture in (drawn(), Image.fromarray(drawn())):
        with pytest.raises(PictureError, match="19,200 pixels"):
            load_gray(picture, max_pixels=19_199)


def test_tile_larger_than_the_limit_is_refused():
    """A small TIFF can't make the decoder reserve a huge tile."""
    tags = [(256, 10), (257, 10), (258, 8), (259, 8), (262, 1), (277, 1), (322, 100_000), (323, 99_616)]
    tags += [(324, 8 + 2 + 12 * 10 + 4), (325, 12)]
    directory = struct.pack("<H", 10) + b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags
    )
    with pytest.raises(PictureError, match="one of its tiles, has 100000 x 99616"):
        load_gray(b"II*\0\x08\0\0\0" + directory + bytes(4) + zlib.compress(bytes(100)))


@pytest.mark.parametrize("file_format", FORMATS)
def test_pillows_own_limit_plays_no_part(monkeypatch, file_format):
    """A picture beyond Pillow's limit for the process opens under a higher limit of ours, unwarned."""
    content = encoded(drawn(), file_format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 12_000)  # 19,200 pixels warn, 30,000 would be an error
    assert load_gray(content).shape == (120, 160)
    assert Image.MAX_IMAGE_PIXELS == 12_000


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "BMP"])
def test_pillows_error_limit_plays_no_part(monkeypatch, file_format):
    """Nor does the doubled limit at which Pillow raises."""
    content = encoded(drawn(), file_format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert load_gray(content).shape == (120, 160)


def test_pillows_limit_plays_no_part_in_documents(monkeypatch):
    """Pages of different sizes do not bring Pillow's limit back."""
    other = Image.fromarray(drawn(size=(50, 60)))
    content = encoded(drawn(), "TIFF", save_all=True, append_images=[other])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert load_gray(content).shape == (120, 160)


def test_pillows_bomb_error_becomes_a_picture_error(monkeypatch):
    """Where a format class of Pillow checks by itself, the refusal is ours and names both limits."""
    content = bytearray(encoded(drawn(), "GIF"))
    content[6:10] = struct.pack("<HH", 8, 8)  # a screen smaller than its frame
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(PictureError, match=r"too large.*max_pixels=.*MAX_IMAGE_PIXELS"):
        load_gray(bytes(content))


def test_file_size_has_a_limit(tmp_path):
    """A file with more bytes than any accepted picture needs is not read to its end."""
    path = tmp_path / "long.png"
    with path.open("wb") as file:
        file.write(encoded(drawn()))
        file.truncate(40 * 2**20)
    with pytest.raises(PictureError, match=r"more than 16,937,216 bytes.*--max-pixels"):
        load_gray(path, max_pixels=20_000)
    assert load_gray(path, max_pixels=DEFAULT_MAX_PIXELS).shape == (120, 160)


def test_foreign_file_is_refused_at_its_first_bytes():
    """A film given by mistake is not read through before it is refused."""

    class Film(io.RawIOBase):
        taken = 0

        def read(self, size=-1):
            self.taken += size
            return bytes(size)

    film = Film()
    with pytest.raises(PictureError, match="not a picture"):
        load_gray(film)
    assert film.taken <= 2**20


@pytest.mark.parametrize("max_pixels", [0, -1, 1.5, True, "100", None])
def test_max_pixels_must_be_a_positive_whole_number(max_pixels):
    """A limit that is no count of pixels is refused by name."""
    with pytest.raises(ArgumentError, match="max_pixels must be a whole number of at least 1"):
        load_gray(drawn(), max_pixels=max_pixels)


# ---- errors -------------------------------------------------------------------------------------


def test_missing_path(tmp_path):
    """A path that does not exist is named."""
    with pytest.raises(PictureError, match=r"nowhere\.png does not exist"):
        load_gray(tmp_path / "nowhere.png")


def test_folder(tmp_path):
    """A folder where a picture should be is called a folder."""
    with pytest.raises(PictureError, match="is a folder"):
        load_gray(tmp_path)


def test_path_that_no_system_accepts():
    """A zero byte in a path and a name that is too long are refused as paths."""
    for path in ("a\0b.png", "x" * 5000):
        with pytest.raises(PictureError, match="can't be read"):
            load_gray(path)


def test_empty_file(tmp_path):
    """A file of no bytes is called empty."""
    path = tmp_path / "empty.png"
    path.touch()
    for source in (path, b"", io.BytesIO()):
        with pytest.raises(PictureError, match=r"is empty \(0 bytes\)"):
            load_gray(source)


@pytest.mark.parametrize("text", ["a", "hello", "<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_text_called_png(tmp_path, text):
    """Text under a picture's name is shown as what it begins with."""
    path = tmp_path / "notes.png"
    path.write_text(text)
    with pytest.raises(PictureError, match=f"begins with b['\"]{text[:5]}"):
        load_gray(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(png):
    """A file that may not be read says so."""
    png.chmod(0)
    with pytest.raises(PictureError, match="permission denied"):
        load_gray(png)


@pytest.mark.parametrize("file_format", FORMATS)
def test_cut_short(file_format):
    """A picture of which half arrived is refused, not filled up with gray."""
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    content = encoded(noise, file_format)
    with pytest.raises(PictureError, match="damaged, cut short"):
        load_gray(content[: len(content) // 2])


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "BMP", "WEBP"])
def test_damaged_header(file_format):
    """A header that makes no sense behind its signature is called damaged."""
    content = encoded(drawn(), file_format)
    with pytest.raises(PictureError, match="can't be decoded: it is damaged"):
        load_gray(content[:12] + b"\xff" * 30 + content[42:])


def test_damaged_tiff_directory():
    """A TIFF whose directory lies beyond its end is called damaged."""
    with pytest.raises(PictureError, match="can't be decoded: it is damaged"):
        load_gray(b"II*\0\xff\xff\0\0" + bytes(100))


def test_message_carries_the_decoders_reason():
    """What Pillow found wrong is part of the message, and its exception the cause."""
    content = encoded(drawn(), "JPEG")
    with pytest.raises(PictureError, match="truncated") as caught:
        load_gray(content[:-200])
    assert isinstance(caught.value.__cause__, OSError)


def test_closed_pil_image(png):
    """A PIL image whose file was closed before it was read is refused as a picture."""
    with Image.open(png) as image:
        pass
    with pytest.raises(PictureError, match="PIL image"):
        load_gray(image)


def test_pil_image_without_pixels():
    """An empty PIL image has no pixels."""
    with pytest.raises(PictureError, match="no pixels: 0 x 5"):
        load_gray(Image.new("L", (0, 5)))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 5), np.uint8), "no pixels: 5 x 0"),
        (np.zeros((5, 0, 3), np.uint8), "no pixels: 0 x 5"),
        (np.zeros(5, np.uint8), r"shape \(5,\)"),
        (np.zeros((), np.uint8), r"shape \(\)"),
        (np.zeros((4, 4, 2), np.uint8), r"shape \(4, 4, 2\)"),
        (np.zeros((3, 4, 4, 3), np.uint8), "shape"),
        (np.zeros((4, 4), np.int64), "array of int64"),
        (np.zeros((4, 4), np.uint32), "array of uint32"),
        (np.zeros((4, 4), np.complex64), "array of complex64"),
        (np.zeros((4, 4), object), "array of object"),
        (np.array([["a"]]), "array of <U1"),
    ],
)
def test_arrays_that_are_no_picture(array, message):
    """A wrong shape or dtype is named, with those accepted."""
    with pytest.raises(PictureError, match=message):
        load_gray(array)


@pytest.mark.parametrize("value", [-0.1, 1.01, 255.0, np.nan, np.inf, -np.inf])
def test_floats_outside_0_to_1(value):
    """Float arrays that aren't 0 to 1 are refused rather than guessed at."""
    with pytest.raises(ArgumentError, match="values from 0 to 1"):
        load_gray(np.array([[0, value]]))


@pytest.mark.parametrize("thing", [None, 7, ["a.png"], object()])
def test_things_that_are_no_picture(thing):
    """What can't be a picture is refused by its type."""
    with pytest.raises(ArgumentError, match=type(thing).__name__):
        load_gray(thing)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_file_in_text_mode(png, encoding):
    """A file open in text mode is answered with how to open it."""
    with png.open(encoding=encoding) as file, pytest.raises(ArgumentError, match="binary mode"):
        load_gray(file)


def test_string_buffer():
    """Text in memory is no picture either."""
    with pytest.raises(ArgumentError, match="binary mode"):
        load_gray(io.StringIO("hello"))


def test_closed_and_write_only_files(tmp_path, png):
    """A file that is closed or open for writing only says so."""
    with png.open("rb") as file:
        pass
    with pytest.raises(ArgumentError, match="closed"):
        load_gray(file)
    with (
        (tmp_path / "new.png").open("wb") as file,
        pytest.raises(ArgumentError, match="not open for reading"),
    ):
        load_gray(file)


def test_failing_file():
    """A file whose reading breaks off gives a PictureError."""

    class Unplugged(io.RawIOBase):
        def read(self, *_):
            raise OSError("device was unplugged")

    with pytest.raises(PictureError, match="open file can't be read: device was unplugged"):
        load_gray(Unplugged())


def test_no_decoder_exception_gets_through():
    """Mutated files of every format give an array or an InkdigitsError, in bounded memory."""
    resource = pytest.importorskip("resource")
    rng = np.random.default_rng(20)
    picture = cv2.resize(drawn((200, 30, 30)), (48, 36), interpolation=cv2.INTER_AREA)
    originals = [encoded(picture, file_format) for file_format in FORMATS]
    originals.append(encoded(picture, "TIFF", compression="tiff_lzw"))
    originals.append(encoded(Image.fromarray(picture).quantize(8), "PNG", transparency=0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    opened = refused = 0
    for number in range(400):
        content = bytearray(originals[number % len(originals)])
        reach = min(len(content), int(rng.choice([80, 4000])))  # headers break in more ways than pixels do
        for _ in range(rng.integers(1, 5)):
            content[rng.integers(reach)] = rng.choice([0, 1, 127, 255, rng.integers(256)])
        if rng.random() < 0.2:
            del content[rng.integers(len(content)) :]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's remarks about damaged metadata
                gray = load_gray(bytes(content), max_pixels=1_000_000)
        except InkdigitsError:
            refused += 1
        else:
            assert gray.dtype == np.uint8
            assert gray.ndim == 2
            opened += 1
    assert opened > 50
    assert refused > 50
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


# ---- threads ------------------------------------------------------------------------------------


def test_threads_do_not_disturb_each_other():
    """Pictures of all formats read by many threads at once come out as they do one by one."""
    contents = [encoded(drawn((200, 30, 30)), file_format) for file_format in FORMATS] * 8
    expected = [load_gray(content) for content in contents]
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(load_gray, contents))
    assert all(np.array_equal(a, b) for a, b in zip(results, expected, strict=True))
    assert limit == Image.MAX_IMAGE_PIXELS
    assert filters == list(warnings.filters)


def test_importing_loads_no_pillow():
    """The module costs no import of Pillow until a picture is loaded."""
    code = "import sys, inkdigits.reading.image; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- folders ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.png", "b.JPG", "c.jpeg", "d.tif", "e.TIFF", "f.bmp", "g.webp", "h.gif"])
def test_names_of_pictures(name):
    """The accepted formats' endings are known in upper and lower case."""
    assert is_picture_name(name)
    assert is_picture_name(Path("some folder") / name)


@pytest.mark.parametrize("name", ["a.txt", "png", ".png", "a.png.txt", "a.doc", "a.avif", ""])
def test_names_of_other_files(name):
    """Other endings are no picture's."""
    assert not is_picture_name(name)


def test_folder_gives_its_pictures(tmp_path, monkeypatch):
    """A folder gives the pictures at any depth, sorted, below the path as given; nothing else."""
    names = ["b.png", "a.JPG", "sub/c.tif", "sub/deeper/d.gif", "notes.txt", ".hidden.png", ".cache/e.png"]
    for name in names:
        path = tmp_path / "scans" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "scans" / "folder.png").mkdir()
    monkeypatch.chdir(tmp_path)
    expected = ["scans/a.JPG", "scans/b.png", "scans/sub/c.tif", "scans/sub/deeper/d.gif"]
    assert find_pictures("scans") == [Path(name) for name in expected]
    assert find_pictures(tmp_path / "scans") == [tmp_path / name for name in expected]


def test_file_gives_itself(tmp_path):
    """A path to a file is taken at its word, whatever its name."""
    path = tmp_path / "upload"
    path.touch()
    assert find_pictures(path) == [path]


def test_folder_without_pictures(tmp_path):
    """A folder without pictures gives none."""
    assert find_pictures(tmp_path) == []


def test_missing_folder(tmp_path):
    """A path that does not exist is an error, not an empty list."""
    with pytest.raises(PictureError, match="does not exist"):
        find_pictures(tmp_path / "nowhere")


def test_empty_path():
    """It is not the current folder, as a variable that is not set would have it."""
    with pytest.raises(PictureError, match="is empty"):
        find_pictures("")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may list everything")
def test_folder_without_permission(tmp_path):
    """A folder below that can't be listed is refused in its place: its pictures would go unnoticed."""
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0)
    try:
        assert find_pictures(tmp_path) == [locked]
        with pytest.raises(PictureError, match="permission denied"):
            load_gray(locked)
    finally:
        locked.chmod(0o700)


def test_looping_links_end(tmp_path):
    """A link back to its own folder is not followed round and round."""
    (tmp_path / "a.png").touch()
    try:
        (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("no symbolic links here")
    assert find_pictures(tmp_path) == [tmp_path / "a.png"]

"""Why a file is not taken in, in sentences."""

from engine.errors import Broken, Conflict, Invalid, Unavailable
from engine.text import Text


class FileRefused(Invalid):
    """The upload can't be taken; nothing was kept."""


class FileTooLarge(FileRefused):
    sentence = Text(
        "文件超过 {limit}，请压缩或拆分后重新上传。", "The file is larger than {limit}. Compress or split it."
    )


class FileEmpty(FileRefused):
    sentence = Text("文件是空的，请检查后重新上传。", "The file is empty. Check it and upload it again.")


class FileNameRefused(FileRefused):
    sentence = Text("文件没有名称，请命名后重新上传。", "The file has no name. Name it and upload it again.")


class FileTypeRefused(FileRefused):
    sentence = Text("不接受“{name}”：请上传 {accepted} 格式的文件。", "“{name}” is not accepted: upload {accepted}.")


class FileContentRefused(FileRefused):
    sentence = Text(
        "“{name}”的内容不是有效的 {ending} 文件，请用正确的格式重新保存后上传。",
        "The content of “{name}” is no valid {ending} file. Save it in the right format and upload it again.",
    )


class FileDangerous(FileRefused):
    sentence = Text(
        "“{name}”含有宏、程序、加密内容或压缩包，不能上传；请去掉后另存，或导出为 PDF 后上传。",
        "“{name}” holds macros, programs, encrypted parts or archives. Save it without them, or as PDF.",
    )


class FileInfected(FileRefused):
    """`facts` hold what was found (`signature`) and the content's `sha256` for those who look into it."""

    sentence = Text(
        "“{name}”中发现病毒，没有接收；请在电脑上查杀病毒后，换一份干净的文件上传。",
        "A virus was found in “{name}”; it was not taken. Clean your computer and upload a clean file.",
    )


class NoRoomForFile(Unavailable):
    sentence = Text(
        "服务器的存储空间不足，附件没有保存，请稍后再试；如仍不成功，请联系平台运维人员。",
        "The server has no room for the file; it was not kept. Try again later, or tell whoever runs the platform.",
    )


class FileElsewhere(Conflict):
    sentence = Text(
        "附件已用于另一申请或已不存在，请重新上传。",
        "A file belongs to another application or is gone. Upload it again.",
    )


class ContentMissing(Broken):
    """A row's content is not in the store: a backup restored in part, or a wrong folder."""

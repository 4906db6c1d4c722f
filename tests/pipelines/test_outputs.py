"""A folder that cannot be written is refused before anything is computed."""

from liqwarn.pipelines.outputs import faults_of_out


def test_a_new_folder_and_an_old_one_are_fine(tmp_path):
    assert not list(faults_of_out(tmp_path))
    assert not list(faults_of_out(tmp_path / "a" / "b"))


def test_a_file_is_no_folder_nor_is_what_lies_below_one(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for out in (file, file / "below" / "it"):
        (fault,) = faults_of_out(out)
        assert str(out) in fault
        assert f"{file} is a file" in fault

"""The languages of repositories and of the scripts that test them."""

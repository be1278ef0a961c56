"""What the build servers read: annotations, SARIF, JUnit and GitLab's reports.

Each module writes the remarks of `facts/remarks.py` in one format, and nothing that it does not
find there.
"""

"""Repairs asked for in words: "remove the date", 去掉右下角的日期."""
